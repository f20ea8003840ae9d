//! Lists in pages: newest first, by an opaque cursor.

use data_encoding::BASE64URL_NOPAD;
use serde::Serialize;

use super::fields::{At, Fields, FromFields};
use super::read;
pub use crate::model::page::{MOST, PageQuery};

impl FromFields for PageQuery {
    fn from_fields(fields: &mut Fields<'_>) -> Option<Self> {
        let limit = fields.optional("limit", limit);
        let cursor = fields.optional("cursor", cursor);
        fields.refuse_unknown();
        Some(Self::new(limit?, cursor?))
    }
}

/// Reads `limit`: 1 to 100.
pub fn limit(at: At<'_>) -> Option<u64> {
    read::uint(1, MOST)(at)
}

/// Reads `cursor`: the row id after which a page begins.
pub fn cursor(at: At<'_>) -> Option<String> {
    let opened = at
        .value()
        .as_str()
        .filter(|text| text.len() <= 256)
        .and_then(open);
    opened.or_else(|| at.refuse("expected a `next_cursor` of this list"))
}

/// One page of a list.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Page<T> {
    /// The entries, newest first.
    pub data: Vec<T>,
    /// Whether there are more.
    pub has_more: bool,
    /// Give this as `cursor` to get the next page; null on the last.
    pub next_cursor: Option<String>,
}

impl<T> Page<T> {
    /// The page out of up to [`PageQuery::fetch`] rows; `id` names a row, `show` renders it.
    pub fn of<R>(
        query: &PageQuery,
        mut rows: Vec<R>,
        id: impl Fn(&R) -> String,
        show: impl FnMut(R) -> T,
    ) -> Self {
        let limit = usize::try_from(query.limit()).unwrap_or(usize::MAX);
        let has_more = rows.len() > limit;
        rows.truncate(limit);
        let next_cursor = rows.last().filter(|_| has_more).map(|row| close(&id(row)));
        Self {
            data: rows.into_iter().map(show).collect(),
            has_more,
            next_cursor,
        }
    }
}

fn close(id: &str) -> String {
    BASE64URL_NOPAD.encode(format!("1:{id}").as_bytes())
}

fn open(cursor: &str) -> Option<String> {
    let text = String::from_utf8(BASE64URL_NOPAD.decode(cursor.as_bytes()).ok()?).ok()?;
    text.strip_prefix("1:").map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_says_whether_there_are_more() {
        let query = PageQuery::new(Some(2), None);
        let page = Page::of(&query, vec![3, 2, 1], ToString::to_string, |n| n);
        assert_eq!(
            (page.data.as_slice(), page.has_more),
            ([3, 2].as_slice(), true)
        );
        assert_eq!(open(&page.next_cursor.unwrap()).as_deref(), Some("2"));
        let last = Page::of(&query, vec![2, 1], ToString::to_string, |n| n);
        assert_eq!((last.has_more, last.next_cursor), (false, None));
    }
}
