//! Uses: however the holders of one grant tree take turns, no limit is ever passed, and none is reached early.

use super::*;

/// A link of the tree: its parent, whether it states a grant id of its own, and its limit.
#[derive(Debug, Clone, Copy)]
struct Node {
    parent: Option<usize>,
    own_grant: bool,
    limit: Option<u64>,
}

/// Owner → 1 → {2, 3}, 2 → 4.
const PARENTS: [Option<usize>; 4] = [None, Some(0), Some(0), Some(1)];

/// What became of an allowed command at the car.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Done,
    /// Given back.
    Declined,
}

type Turn = (usize, VehicleCommand, Fate);

prop_compose! {
    fn tree()(limits in vec(option::weighted(0.6, 0u64..5), 4), own in vec(any::<bool>(), 4)) -> Vec<Node> {
        let nodes = PARENTS.into_iter().zip(limits.into_iter().zip(own));
        nodes
            .map(|(parent, (limit, own))| Node { parent, own_grant: own || parent.is_none(), limit })
            .collect()
    }
}

fn turns() -> impl Strategy<Value = Vec<Turn>> {
    let fate = prop_oneof![3 => Just(Fate::Done), 1 => Just(Fate::Declined)];
    vec(
        (0usize..4, select(VehicleCommand::ALL.to_vec()), fate),
        1..30,
    )
}

fn number(index: usize) -> u8 {
    u8::try_from(index + 1).expect("four nodes")
}

/// The key of every node.
fn keys(tree: &[Node]) -> Vec<DigitalKey> {
    let mut anchors = AnchorStore::default();
    let mut builders: Vec<KeyBuilder> = Vec::new();
    let all = Entitlements::from_bits(0x7f).expect("seven bits");
    let mut keys = Vec::new();
    for (index, node) in tree.iter().enumerate() {
        let holder = holder(number(index));
        let mut claims = testing::claims(&holder, window(), all);
        claims.grant_id = node.own_grant.then_some(GrantId([number(index); 8]));
        claims.policy.max_uses = node.limit;
        claims.policy.outage_limit_s = node.parent.is_none().then_some(u32::MAX);
        let depth = path(tree, index).count();
        claims.policy.delegations = 4 - u8::try_from(depth).expect("at most three");
        let builder = match node.parent {
            None => KeyBuilder::first(&testing::owner(), &claims, &holder),
            Some(parent) => builders[parent].clone().then(claims, &holder),
        };
        let link = builder.links().last().expect("at least one");
        let id = anchors
            .insert(&link.bytes, vehicle(), &roots())
            .expect("inside its parent");
        keys.push(anchors.get(&id).expect("just stored").clone());
        builders.push(builder);
    }
    keys
}

/// A node and those above it, up to the owner's link.
fn path(tree: &[Node], index: usize) -> impl Iterator<Item = usize> {
    std::iter::successors(Some(index), |at| tree[*at].parent)
}

/// Whose grant id a node has: its own, or that of the first above it with one.
fn grant_of(tree: &[Node], index: usize) -> usize {
    path(tree, index)
        .find(|at| tree[*at].own_grant)
        .expect("the first link has one")
}

/// What the holders did, and what of it counts, said without keys.
#[derive(Default)]
struct History {
    /// Nodes whose holders used the car.
    used_by: Vec<usize>,
}

impl History {
    /// Uses counted for a grant: those of every key that stands below a limit counted for it.
    fn count(&self, tree: &[Node], grant: usize) -> u64 {
        let counts = |user: &&usize| {
            path(tree, **user).any(|at| tree[at].limit.is_some() && grant_of(tree, at) == grant)
        };
        self.used_by.iter().filter(counts).count() as u64
    }

    /// Uses by the holder of a node and by all below it.
    fn below(&self, tree: &[Node], index: usize) -> u64 {
        let is_below = |user: &&usize| path(tree, **user).any(|at| at == index);
        self.used_by.iter().filter(is_below).count() as u64
    }

    fn has_left(&self, tree: &[Node], index: usize) -> bool {
        let has_left = |at: usize| {
            let counted = self.count(tree, grant_of(tree, at));
            tree[at].limit.is_none_or(|most| counted < most)
        };
        path(tree, index).all(has_left)
    }
}

/// The gateway's counters, one for each grant of a limit.
#[derive(Default)]
struct Counters(std::collections::BTreeMap<GrantId, u64>);

impl Counters {
    fn of(&self, grant: GrantId) -> u64 {
        self.0.get(&grant).copied().unwrap_or(0)
    }

    /// Counts a use once for every grant that limits of this key are counted for.
    fn count(&mut self, key: &DigitalKey) {
        let limits = key.effective().use_limits().iter();
        let grants: std::collections::BTreeSet<GrantId> =
            limits.filter_map(|limit| limit.grant_id).collect();
        for grant in grants {
            *self.0.entry(grant).or_default() += 1;
        }
    }
}

fn ask(key: &DigitalKey, command: VehicleCommand, counters: &Counters) -> Decision {
    let world = World::plain(command);
    let situation = Situation {
        clock: world.clock,
        now: None,
        contact: world.contact,
        status: &StatusBoard::default(),
        car: world.car,
        uses: &|grant: GrantId| counters.of(grant),
        floor_admission_left: false,
    };
    decide(key, &world.ask, &situation)
}

proptest! {
    #![proptest_config(law())]

    #[test]
    fn no_turns_of_the_holders_pass_a_limit(tree in tree(), turns in turns()) {
        let keys = keys(&tree);
        let (mut history, mut counters) = (History::default(), Counters::default());
        for (index, command, fate) in turns {
            let counts = !matches!(command, VehicleCommand::Lock | VehicleCommand::Locate);
            let decision = ask(&keys[index], command, &counters);
            let expected = if !counts || history.has_left(&tree, index) {
                Decision::Allow
            } else {
                Decision::Refuse(Refusal::UsesSpent.into())
            };
            prop_assert_eq!(decision, expected);
            if decision == Decision::Allow && counts && fate == Fate::Done {
                counters.count(&keys[index]);
                history.used_by.push(index);
            }
            for (at, node) in tree.iter().enumerate() {
                let most = node.limit.unwrap_or(u64::MAX);
                prop_assert!(history.below(&tree, at) <= most, "below node {}", at);
            }
        }
    }
}
