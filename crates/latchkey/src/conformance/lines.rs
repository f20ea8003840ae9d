//! Lines of bounded length, whatever the input holds.

use std::io::{self, BufRead};

/// One line, without its end.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line<'a> {
    /// All of it.
    Whole(&'a [u8]),
    /// The start of a line that is longer than may be.
    Cut(&'a [u8]),
}

/// Reads lines, keeping at most one of them in memory.
pub(super) struct Lines<R> {
    input: R,
    limit: usize,
    line: Vec<u8>,
    has_more: bool,
}

impl<R: BufRead> Lines<R> {
    /// Lines of up to `limit` bytes.
    pub(super) fn new(input: R, limit: usize) -> Self {
        Self {
            input,
            limit,
            line: Vec::new(),
            has_more: false,
        }
    }

    /// Whether nothing more is waiting in memory.
    pub(super) fn is_drained(&self) -> bool {
        !self.has_more
    }

    /// The next line; `None` at the end of the input.
    pub(super) fn next_line(&mut self) -> io::Result<Option<Line<'_>>> {
        self.line.clear();
        let (mut found, mut cut) = (false, false);
        loop {
            let waiting = match self.input.fill_buf() {
                Ok(waiting) => waiting,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            if waiting.is_empty() {
                self.has_more = false;
                break;
            }
            found = true;
            let end = waiting.iter().position(|byte| *byte == b'\n');
            let piece = &waiting[..end.unwrap_or(waiting.len())];
            let room = self.limit - self.line.len();
            cut |= piece.len() > room;
            self.line.extend_from_slice(&piece[..piece.len().min(room)]);
            let used = piece.len() + usize::from(end.is_some());
            self.has_more = used < waiting.len();
            self.input.consume(used);
            if end.is_some() {
                break;
            }
        }
        if self.line.last() == Some(&b'\r') && !cut {
            self.line.pop();
        }
        Ok(found.then_some(if cut {
            Line::Cut(&self.line)
        } else {
            Line::Whole(&self.line)
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &str, limit: usize) -> Vec<(String, bool)> {
        let input = io::BufReader::with_capacity(3, text.as_bytes());
        let mut lines = Lines::new(input, limit);
        let mut found = Vec::new();
        while let Some(line) = lines.next_line().expect("memory can be read") {
            let (bytes, whole) = match line {
                Line::Whole(bytes) => (bytes, true),
                Line::Cut(bytes) => (bytes, false),
            };
            found.push((String::from_utf8(bytes.to_vec()).expect("ASCII"), whole));
        }
        found
    }

    #[test]
    fn every_line_is_one_line_with_or_without_a_last_newline() {
        let expected = [("a", true), ("", true), ("bcdefg", true), ("h", true)]
            .map(|(text, whole)| (text.to_owned(), whole));
        assert_eq!(all("a\n\nbcdefg\r\nh", 8), expected);
        assert_eq!(all("a\n\nbcdefg\r\nh\n", 8), expected);
        assert_eq!(all("", 8), []);
    }

    #[test]
    fn a_line_over_the_limit_is_cut_and_the_next_one_is_whole() {
        let expected =
            [("abcd", false), ("efgh", true)].map(|(text, whole)| (text.to_owned(), whole));
        assert_eq!(all("abcdxxxxxxx\nefgh\n", 4), expected);
    }
}
