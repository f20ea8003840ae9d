//! Malformed inputs without end, the same ones in every run.

use super::tree::{Item, parse, write_head};

/// A way in which bytes are wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Bytes at random.
    Garbage,
    /// A good object that ends too early.
    Truncated,
    /// A good object with bytes after it.
    Trailing,
    /// An item that announces more or less than it has.
    LengthLie,
    /// An item that announces more than anybody has.
    HugeLength,
    /// A number or length written longer than it need be.
    LongForm,
    /// Arrays, maps or heads of byte strings inside each other, up to thousands deep.
    Nested,
    /// An item of another type.
    OtherType,
    /// A head that is not spoken here: tags, floats, simple values, lengths without end.
    NoHead,
    /// A map with a key twice, one nobody knows, or two in the wrong order.
    BadMap,
    /// A list of more items than any may have; of links, an overlong chain.
    LongList,
}

use Kind::{
    BadMap, Garbage, HugeLength, LengthLie, LongForm, LongList, Nested, NoHead, OtherType,
    Trailing, Truncated,
};

const ALL: [Kind; 11] = [
    Garbage, Truncated, Trailing, LengthLie, HugeLength, LongForm, Nested, OtherType, NoHead,
    BadMap, LongList,
];

/// More items than any list of the format may have.
const MORE_THAN_ANY_LIST: u64 = 65;

/// Decoders of text, and of 32 bare bytes.
const NOT_CBOR: [&str; 4] = ["fingerprint", "pairing_code", "vehicle", "verifying_key"];

/// Makes malformed inputs of good ones, for one decoder.
pub(crate) struct Malformed<'a> {
    good: &'a [Vec<u8>],
    trees: Vec<Item>,
    /// The one list without a limit is a stored board's, of as many links as were revoked.
    lists_are_limited: bool,
    random: Random,
}

impl<'a> Malformed<'a> {
    pub(crate) fn new(decoder: &str, good: &'a [Vec<u8>]) -> Self {
        let is_binary = !NOT_CBOR.contains(&decoder);
        let trees = good.iter().filter(|_| is_binary).map(|bytes| parse(bytes));
        Self {
            good,
            trees: trees
                .map(|tree| tree.expect("what is good is CBOR"))
                .collect(),
            lists_are_limited: decoder != "board",
            random: Random(0x9e37_79b9_7f4a_7c15),
        }
    }

    /// The next input, and what is wrong with it.
    pub(crate) fn next(&mut self) -> (Kind, Vec<u8>) {
        loop {
            let kind = self.random.one(&ALL);
            let bytes = match kind {
                Garbage => Some(self.garbage()),
                Truncated => Some(self.truncated()),
                Trailing => Some(self.trailing()),
                LongList if !self.lists_are_limited => None,
                _ => self.spoilt(kind),
            };
            if let Some(bytes) = bytes {
                return (kind, bytes);
            }
        }
    }

    fn good(&mut self) -> &'a [u8] {
        &self.good[self.random.below(self.good.len())]
    }

    /// Mostly short, at times longer than anything may be. Not 32 bytes, of which half are public keys.
    fn garbage(&mut self) -> Vec<u8> {
        let most = self.random.one(&[8, 40, 300, 300, 700, 20_000]);
        let length = match self.random.below(most) {
            32 => 33,
            length => length,
        };
        (0..length).map(|_| self.random.byte()).collect()
    }

    fn truncated(&mut self) -> Vec<u8> {
        let good = self.good();
        good[..self.random.below(good.len())].to_vec()
    }

    /// Letters, because a text may end in spaces.
    fn trailing(&mut self) -> Vec<u8> {
        let mut bytes = self.good().to_vec();
        let more = self.random.one(&[1, 1, 9, 100, 5_000]);
        bytes.extend((0..=self.random.below(more)).map(|_| self.random.one(b"ABC")));
        bytes
    }

    /// A good object with one item spoilt; `None` if that item cannot be spoilt in this way.
    fn spoilt(&mut self, kind: Kind) -> Option<Vec<u8>> {
        if self.trees.is_empty() {
            return None;
        }
        let tree = &self.trees[self.random.below(self.trees.len())];
        let mut at = self.random.below(tree.count());
        let random = &mut self.random;
        let (mut out, mut spoilt) = (Vec::new(), false);
        tree.write(&mut out, &mut at, &mut |item, out| {
            spoilt = spoil(item, kind, random, out);
        });
        spoilt.then_some(out)
    }
}

/// Writes an item in a way that no decoder takes, whatever it expects here; `false` if that cannot be done.
fn spoil(item: &Item, kind: Kind, random: &mut Random, out: &mut Vec<u8>) -> bool {
    let content = item.good_content();
    let (major, argument) = item.head(&content);
    let has_length = major > 1;
    match kind {
        LengthLie if has_length => {
            let by = 1 + random.next() % 16;
            let lie = if random.flag() {
                argument + by
            } else {
                argument.saturating_sub(by)
            };
            write_head(out, major, lie, 0);
            out.extend_from_slice(&content);
            return lie != argument;
        }
        HugeLength => {
            let huge = random.one(&[1 << 53, 1 << 62, u64::MAX - 1, u64::MAX]);
            write_head(out, major, huge, 8);
        }
        LongForm => {
            let longer: &[usize] = match argument {
                0..=23 => &[1, 2, 4, 8],
                24..=0xff => &[2, 4, 8],
                0x100..=0xffff => &[4, 8],
                _ => &[8],
            };
            write_head(out, major, argument, random.one(longer));
            // Eight bytes are the shortest form of the largest numbers.
            if argument > 0xffff_ffff {
                return false;
            }
        }
        Nested => return nest(random, out),
        OtherType => {
            let other: &[u8] = match major {
                0 | 1 => &[2, 3, 4, 5],
                4 => &[0, 5],
                5 => &[0, 4],
                _ => &[0, 5],
            };
            write_head(out, random.one(other), argument, 0);
        }
        NoHead => {
            out.push(match random.below(3) {
                0 => major << 5 | random.one(&[28, 29, 30, 31]),
                1 => 6 << 5 | random.byte() & 0x1f,
                _ => 7 << 5 | random.byte() & 0x1f,
            });
        }
        BadMap => return bad_map(item, random, out),
        LongList => return long_list(item, random, out),
        _ => return false,
    }
    out.extend_from_slice(&content);
    true
}

/// No object is more than ten deep.
fn nest(random: &mut Random, out: &mut Vec<u8>) -> bool {
    let level: &[u8] = random.one(&[
        &[0x81][..],
        &[0xa1, 0],
        &[0x82, 0],
        &[0x9f],
        &[0x5b, 0, 0, 0, 0, 0, 0, 1, 0],
    ]);
    let depth = random.one(&[16, 100, 1_000, 10_000]);
    (0..depth).for_each(|_| out.extend_from_slice(level));
    out.push(0);
    true
}

fn bad_map(item: &Item, random: &mut Random, out: &mut Vec<u8>) -> bool {
    let Item::Map(entries) = item else {
        return false;
    };
    let mut entries = entries.clone();
    let unknown = |major| (Item::Int(major, 1_000_000), Item::Int(0, 0));
    match random.below(4) {
        0 if entries.len() > 1 => {
            let at = random.below(entries.len() - 1);
            entries.swap(at, at + 1);
        }
        1 if !entries.is_empty() => {
            let at = random.below(entries.len());
            entries.insert(at, entries[at].clone());
        }
        2 => entries.push(unknown(1)),
        _ => entries.push(unknown(0)),
    }
    Item::Map(entries).write_good(out);
    true
}

/// The last item again and again.
fn long_list(item: &Item, random: &mut Random, out: &mut Vec<u8>) -> bool {
    let Item::Array(items) = item else {
        return false;
    };
    let Some(last) = items.last() else {
        return false;
    };
    let more = MORE_THAN_ANY_LIST + random.next() % 40;
    let content = item.good_content();
    write_head(out, 4, item.head(&content).1 + more, 0);
    out.extend_from_slice(&content);
    (0..more).for_each(|_| last.write_good(out));
    true
}

/// SplitMix64: small, and the same everywhere.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    fn below(&mut self, count: usize) -> usize {
        let count = u64::try_from(count).expect("a count");
        usize::try_from(self.next() % count).expect("below a count")
    }

    fn byte(&mut self) -> u8 {
        self.next().to_le_bytes()[0]
    }

    fn flag(&mut self) -> bool {
        self.next() & 1 == 1
    }

    fn one<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())]
    }
}
