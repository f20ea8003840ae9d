//! A CBOR item as a tree, to be written again with one item spoilt.

/// An item. Keys of maps are items, too.
#[derive(Debug, Clone)]
pub(crate) enum Item {
    /// An integer: major type 0 or 1.
    Int(u8, u64),
    /// A byte string whose content the decoder does not look into.
    Bytes(Vec<u8>),
    /// A byte string that holds an item the decoder reads: header or payload of a signed object.
    Inside(Box<Item>),
    /// A text string.
    Text(Vec<u8>),
    /// An array.
    Array(Vec<Item>),
    /// A map.
    Map(Vec<(Item, Item)>),
}

/// Reads well-formed deterministic CBOR.
pub(crate) fn parse(bytes: &[u8]) -> Option<Item> {
    let mut rest = bytes;
    let item = item(&mut rest)?;
    rest.is_empty().then_some(item)
}

fn item(rest: &mut &[u8]) -> Option<Item> {
    let (major, argument) = head(rest)?;
    let length = usize::try_from(argument).ok()?;
    Some(match major {
        0 | 1 => Item::Int(major, argument),
        2 => Item::Bytes(take(rest, length)?.to_vec()),
        3 => Item::Text(take(rest, length)?.to_vec()),
        4 => {
            let mut items = Vec::new();
            for _ in 0..length {
                items.push(item(rest)?);
            }
            look_into(&mut items);
            Item::Array(items)
        }
        5 => {
            let mut entries = Vec::new();
            for _ in 0..length {
                entries.push((item(rest)?, item(rest)?));
            }
            Item::Map(entries)
        }
        _ => return None,
    })
}

/// `[protected, {}, payload, signature]`: header and payload are read as well.
fn look_into(items: &mut [Item]) {
    let [
        Item::Bytes(protected),
        Item::Map(unprotected),
        Item::Bytes(payload),
        Item::Bytes(signature),
    ] = &items
    else {
        return;
    };
    if unprotected.is_empty()
        && signature.len() == 64
        && let (Some(protected), Some(payload)) = (parse(protected), parse(payload))
    {
        items[0] = Item::Inside(Box::new(protected));
        items[2] = Item::Inside(Box::new(payload));
    }
}

fn take<'a>(rest: &mut &'a [u8], count: usize) -> Option<&'a [u8]> {
    let (taken, left) = rest.split_at_checked(count)?;
    *rest = left;
    Some(taken)
}

fn head(rest: &mut &[u8]) -> Option<(u8, u64)> {
    let first = take(rest, 1)?[0];
    let count = match first & 0x1f {
        small @ 0..=23 => return Some((first >> 5, u64::from(small))),
        24 => 1,
        25 => 2,
        26 => 4,
        27 => 8,
        _ => return None,
    };
    let argument = take(rest, count)?;
    let argument = argument
        .iter()
        .fold(0, |sum, byte| sum << 8 | u64::from(*byte));
    Some((first >> 5, argument))
}

/// Writes a head in its shortest form, or in a longer one of `least` bytes after the first.
pub(crate) fn write_head(out: &mut Vec<u8>, major: u8, argument: u64, least: usize) {
    let bytes = argument.to_be_bytes();
    let needed = match argument {
        0..=23 => 0,
        24..=0xff => 1,
        0x100..=0xffff => 2,
        0x1_0000..=0xffff_ffff => 4,
        _ => 8,
    };
    let count: usize = needed.max(least);
    out.push(match count {
        0 => major << 5 | bytes[7],
        1 => major << 5 | 24,
        2 => major << 5 | 25,
        4 => major << 5 | 26,
        _ => major << 5 | 27,
    });
    out.extend_from_slice(&bytes[8 - count..]);
}

impl Item {
    /// How many items there are in all, this one and keys of maps included.
    pub(crate) fn count(&self) -> usize {
        1 + match self {
            Self::Int(..) | Self::Bytes(_) | Self::Text(_) => 0,
            Self::Inside(item) => item.count(),
            Self::Array(items) => items.iter().map(Self::count).sum(),
            Self::Map(entries) => entries
                .iter()
                .map(|(key, value)| key.count() + value.count())
                .sum(),
        }
    }

    /// Major type and argument of the head; the content of a byte string that is looked into is given.
    pub(crate) fn head(&self, content: &[u8]) -> (u8, u64) {
        let length = |length: usize| u64::try_from(length).expect("a length");
        match self {
            Self::Int(major, argument) => (*major, *argument),
            Self::Bytes(bytes) => (2, length(bytes.len())),
            Self::Inside(_) => (2, length(content.len())),
            Self::Text(text) => (3, length(text.len())),
            Self::Array(items) => (4, length(items.len())),
            Self::Map(entries) => (5, length(entries.len())),
        }
    }

    /// Writes the tree, and in place of the `left`-th item from here what `spoil` writes of it.
    pub(crate) fn write(
        &self,
        out: &mut Vec<u8>,
        left: &mut usize,
        spoil: &mut dyn FnMut(&Self, &mut Vec<u8>),
    ) {
        let is_this = *left == 0;
        *left = left.wrapping_sub(1);
        if is_this {
            spoil(self, out);
            return;
        }
        let content = self.content(left, spoil);
        let (major, argument) = self.head(&content);
        write_head(out, major, argument, 0);
        out.extend_from_slice(&content);
    }

    /// What follows the head.
    pub(crate) fn content(
        &self,
        left: &mut usize,
        spoil: &mut dyn FnMut(&Self, &mut Vec<u8>),
    ) -> Vec<u8> {
        let mut out = Vec::new();
        match self {
            Self::Int(..) => {}
            Self::Bytes(bytes) | Self::Text(bytes) => out.extend_from_slice(bytes),
            Self::Inside(item) => item.write(&mut out, left, spoil),
            Self::Array(items) => items
                .iter()
                .for_each(|item| item.write(&mut out, left, spoil)),
            Self::Map(entries) => {
                for (key, value) in entries {
                    key.write(&mut out, left, spoil);
                    value.write(&mut out, left, spoil);
                }
            }
        }
        out
    }

    /// What follows the head, nothing spoilt.
    pub(crate) fn good_content(&self) -> Vec<u8> {
        let mut nowhere = usize::MAX;
        self.content(&mut nowhere, &mut |_, _| {})
    }

    /// Writes the tree, nothing spoilt.
    pub(crate) fn write_good(&self, out: &mut Vec<u8>) {
        let mut nowhere = usize::MAX;
        self.write(out, &mut nowhere, &mut |_, _| {});
    }
}
