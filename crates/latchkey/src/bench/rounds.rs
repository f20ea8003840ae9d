//! Works timed in turn, round after round.

use std::hint::black_box;
use std::time::Instant;

use super::VARIETY;

/// Variations in one sample of a work: few, so that a busy machine interrupts few samples.
const PER_SAMPLE: usize = 16;
/// Variations done before a sample without being timed: the work before had the caches to itself.
const WARM_UP: usize = 4;
/// How many more of a work that takes less than a microsecond or so.
const SHORT: usize = 16;

/// Something to time: `run(n)` does its n-th variation, n below [`VARIETY`].
pub(crate) struct Work<'a> {
    name: &'static str,
    per_sample: usize,
    next: usize,
    run: Box<dyn FnMut(usize) + 'a>,
}

impl<'a> Work<'a> {
    /// A work that takes several microseconds or more.
    pub(crate) fn new<T>(name: &'static str, mut run: impl FnMut(usize) -> T + 'a) -> Self {
        Self {
            name,
            per_sample: PER_SAMPLE,
            next: 0,
            run: Box::new(move |index| {
                black_box(run(black_box(index)));
            }),
        }
    }

    /// A work that takes less, done more often.
    pub(crate) fn short<T>(name: &'static str, run: impl FnMut(usize) -> T + 'a) -> Self {
        let mut work = Self::new(name, run);
        work.per_sample *= SHORT;
        work
    }

    fn go_on(&mut self, variations: usize) {
        for _ in 0..variations {
            (self.run)(self.next % VARIETY);
            self.next += 1;
        }
    }

    /// Nanoseconds for one variation, over one sample; the next sample goes on where this one ends.
    fn sample(&mut self) -> f64 {
        self.go_on(WARM_UP);
        let began = Instant::now();
        self.go_on(self.per_sample);
        began.elapsed().as_secs_f64() * 1e9 / self.per_sample as f64
    }
}

/// Samples of every work: one for each round.
pub(crate) struct Rounds {
    samples: Vec<(&'static str, Vec<f64>)>,
}

impl Rounds {
    /// Times every work once a round, beginning each round with another one; the first round is not
    /// counted.
    pub(crate) fn run(
        works: &mut [Work<'_>],
        rounds: usize,
        progress: &mut dyn FnMut(usize),
    ) -> Self {
        let mut samples: Vec<_> = works.iter().map(|work| (work.name, Vec::new())).collect();
        for round in 0..=rounds {
            for turn in 0..works.len() {
                let index = (round + turn) % works.len();
                let sample = works[index].sample();
                if round > 0 {
                    samples[index].1.push(sample);
                }
            }
            progress(round);
        }
        Self { samples }
    }

    fn of(&self, name: &str) -> Option<&[f64]> {
        let found = self.samples.iter().find(|(known, _)| *known == name)?;
        Some(&found.1)
    }

    /// Median time of a work in nanoseconds; `None` if it was not run.
    pub(crate) fn median_ns(&self, name: &str) -> Option<f64> {
        median(self.of(name)?.to_vec())
    }

    /// Median over the rounds of one work's time divided by another's in the same round.
    pub(crate) fn ratio(&self, name: &str, over: &str) -> Option<f64> {
        let pairs = self.of(name)?.iter().zip(self.of(over)?);
        median(pairs.map(|(one, other)| one / other).collect())
    }

    /// Every work with its median in nanoseconds.
    pub(crate) fn medians(&self) -> impl Iterator<Item = (&'static str, f64)> {
        self.samples
            .iter()
            .filter_map(|(name, samples)| Some((*name, median(samples.clone())?)))
    }
}

fn median(mut samples: Vec<f64>) -> Option<f64> {
    samples.sort_by(f64::total_cmp);
    let upper = samples.get(samples.len() / 2)?;
    let lower = samples[(samples.len() - 1) / 2];
    Some((upper + lower) / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_in_the_middle() {
        assert_eq!(median(vec![]), None);
        assert_eq!(median(vec![3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(vec![4.0, 1.0, 2.0, 3.0]), Some(2.5));
    }

    #[test]
    fn ratios_pair_the_samples_of_one_round() {
        let rounds = Rounds {
            samples: vec![
                ("one", vec![2.0, 40.0, 6.0]),
                ("other", vec![1.0, 20.0, 2.0]),
            ],
        };
        assert_eq!(rounds.ratio("one", "other"), Some(2.0));
        assert_eq!(rounds.ratio("one", "third"), None);
        assert_eq!(rounds.median_ns("one"), Some(6.0));
    }
}
