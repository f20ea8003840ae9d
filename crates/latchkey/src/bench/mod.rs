//! What a check costs, as ratios between works timed in turn in one run, so that the machine's mood cancels.
//!
//! | work | what it is |
//! |---|---|
//! | bare | the signatures and new public keys of a check, by ed25519-dalek alone |
//! | check | everything a gateway does before it asks the car: parse, narrow, verify, prove, decide |
//! | cached | the same for a key verified before, named by its last link or sent again |
//! | rivals | tokens of others with the same content; without a proof of possession, which none has |

mod check;
#[cfg(feature = "bench")]
mod compare;
#[cfg(not(feature = "bench"))]
#[path = "compare_absent.rs"]
mod compare;
mod garbage;
mod name;
mod report;
mod rounds;
mod scene;

pub(crate) use self::report::Report;
use self::rounds::Rounds;
use self::scene::Scene;

/// Different keys, challenges and messages each work cycles through, so that caches and branch
/// predictors do not flatter it.
pub(crate) const VARIETY: usize = 64;

/// Measures everything; `progress` is told the number of rounds done.
///
/// # Errors
/// If a work does not do what it is measured for: then no figure means anything.
pub(crate) fn check(rounds: usize, progress: &mut dyn FnMut(usize)) -> anyhow::Result<Report> {
    let one = Scene::new(1)?;
    let three = Scene::new(3)?;
    let mut works = vec![
        check::whole(name::ONE_HOP, &one)?,
        check::whole(name::THREE_HOPS, &three)?,
        check::cached_by_leaf(&three)?,
        check::cached_by_hash(&three)?,
        check::parse(&three),
        garbage::refuse(&three)?,
    ];
    works.extend(compare::works()?);
    let timed = Rounds::run(&mut works, rounds, progress);
    let allocations = compare::allocations(&one, &three)?;
    Ok(Report::new(&timed, &one, &three, allocations))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_work_does_what_it_is_measured_for_and_the_report_names_all_figures() {
        let report = check(2, &mut |_| {}).unwrap();
        let json = serde_json::to_value(&report).unwrap();
        assert!(json["parse_link_ns"].as_f64().unwrap() > 0.0);
        for name in [
            "one_hop_over_bare",
            "three_hop_over_bare",
            "cached_over_verify",
            "biscuit_three_block_over_three_hop",
            "biscuit_one_block_over_one_hop",
            "jwt_over_one_hop",
            "pasetors_over_one_hop",
        ] {
            let is_measured = json[name].as_f64().is_some_and(|ratio| ratio > 0.0);
            assert_eq!(is_measured, cfg!(feature = "bench"), "{name}");
        }
        let allocations = cfg!(feature = "bench").then_some(0);
        assert_eq!(json["allocations"], serde_json::json!(allocations));
        assert_eq!(json["one_hop_key_bytes"], 209);
        assert_eq!(json["three_hop_key_bytes"], 489);
        assert_eq!(json["backend"], crate::curve::backend());
    }
}
