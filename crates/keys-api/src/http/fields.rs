//! Reading a JSON object field by field, so that one answer names every field that does not hold.
//!
//! A wire struct declares its shape twice: `#[derive(ToSchema)]` for the document, and
//! [`FromFields`] for reading, usually through [`crate::read_fields!`]:
//!
//! ```
//! use keys_api::http::fields::{Fields, FromFields};
//! use keys_api::http::read;
//!
//! struct Rename { name: String, year: Option<u64> }
//!
//! impl FromFields for Rename {
//!     fn from_fields(fields: &mut Fields<'_>) -> Option<Self> {
//!         keys_api::read_fields!(fields, Self {
//!             name: required(read::text(1, 80)),
//!             year: optional(read::uint(1886, 2100)),
//!         })
//!     }
//! }
//! ```

use std::cell::RefCell;

use serde_json::{Map, Value};

use super::problem::FieldError;

/// A struct that is read from a JSON object.
pub trait FromFields: Sized {
    /// Reads every field; `None` if any does not hold, which `fields` has then noted.
    fn from_fields(fields: &mut Fields<'_>) -> Option<Self>;
}

/// Where a value stands, from the innermost name out; written only if it is needed.
#[derive(Debug, Clone, Copy)]
enum Place<'a> {
    Root,
    Name(&'a Place<'a>, &'a str),
    Index(&'a Place<'a>, usize),
}

impl Place<'_> {
    fn pointer(&self) -> String {
        match self {
            Self::Root => String::new(),
            Self::Name(parent, name) => {
                let name = name.replace('~', "~0").replace('/', "~1");
                format!("{}/{name}", parent.pointer())
            }
            Self::Index(parent, index) => format!("{}/{index}", parent.pointer()),
        }
    }
}

/// A JSON value, where it stands, and where to note what is wrong with it.
#[derive(Debug, Clone, Copy)]
pub struct At<'a> {
    value: &'a Value,
    place: Place<'a>,
    texts: bool,
    errors: &'a RefCell<Vec<FieldError>>,
}

impl<'a> At<'a> {
    /// The value.
    #[must_use]
    pub fn value(&self) -> &'a Value {
        self.value
    }

    /// The value's text, if it comes from a query, where all values are texts.
    #[must_use]
    pub fn query_text(&self) -> Option<&'a str> {
        self.value.as_str().filter(|_| self.texts)
    }

    /// Notes that the value does not hold, saying what was expected.
    pub fn refuse<T>(&self, detail: impl Into<String>) -> Option<T> {
        note(self.errors, self.texts, &self.place, detail)
    }

    /// The value as an object of kind `T`.
    #[must_use]
    pub fn object<T: FromFields>(self) -> Option<T> {
        let Value::Object(object) = self.value else {
            return self.refuse("expected an object");
        };
        let Self {
            place,
            texts,
            errors,
            ..
        } = self;
        T::from_fields(&mut Fields {
            object,
            place,
            texts,
            errors,
            read: Vec::new(),
        })
    }

    /// What `read` makes of the element `index` of this array.
    pub fn element<T>(
        &self,
        index: usize,
        value: &Value,
        read: impl FnOnce(At<'_>) -> Option<T>,
    ) -> Option<T> {
        let place = Place::Index(&self.place, index);
        read(At {
            value,
            place,
            texts: self.texts,
            errors: self.errors,
        })
    }
}

/// The fields of one JSON object.
#[derive(Debug)]
pub struct Fields<'a> {
    object: &'a Map<String, Value>,
    place: Place<'a>,
    texts: bool,
    errors: &'a RefCell<Vec<FieldError>>,
    read: Vec<&'static str>,
}

impl Fields<'_> {
    /// A field that must be there.
    pub fn required<T>(
        &mut self,
        name: &'static str,
        read: impl FnOnce(At<'_>) -> Option<T>,
    ) -> Option<T> {
        match self.with(name, read) {
            Some(read) => read,
            None => self.refuse(name, "required"),
        }
    }

    /// A field that may be absent or null.
    pub fn optional<T>(
        &mut self,
        name: &'static str,
        read: impl FnOnce(At<'_>) -> Option<T>,
    ) -> Option<Option<T>> {
        self.change(name, read).map(Option::flatten)
    }

    /// A field of a change: absent leaves as is (`None`), null clears (`Some(None)`).
    pub fn change<T>(
        &mut self,
        name: &'static str,
        read: impl FnOnce(At<'_>) -> Option<T>,
    ) -> Option<Option<Option<T>>> {
        let read = |at: At<'_>| {
            if at.value.is_null() {
                Some(None)
            } else {
                read(at).map(Some)
            }
        };
        match self.with(name, read) {
            Some(read) => read.map(Some),
            None => Some(None),
        }
    }

    fn with<T>(&mut self, name: &'static str, read: impl FnOnce(At<'_>) -> T) -> Option<T> {
        self.read.push(name);
        let value = self.object.get(name)?;
        let place = Place::Name(&self.place, name);
        Some(read(At {
            value,
            place,
            texts: self.texts,
            errors: self.errors,
        }))
    }

    /// Notes that field `name` does not hold; for rules that span fields.
    pub fn refuse<T>(&self, name: &str, detail: impl Into<String>) -> Option<T> {
        note(
            self.errors,
            self.texts,
            &Place::Name(&self.place, name),
            detail,
        )
    }

    /// Notes every field that was not asked for.
    pub fn refuse_unknown(&self) {
        for name in self
            .object
            .keys()
            .filter(|name| !self.read.contains(&name.as_str()))
        {
            let _: Option<()> = self.refuse(name, "unknown field");
        }
    }
}

/// At most this many field errors are listed.
const MOST_ERRORS: usize = 64;

fn note<T>(
    errors: &RefCell<Vec<FieldError>>,
    texts: bool,
    place: &Place<'_>,
    detail: impl Into<String>,
) -> Option<T> {
    let mut errors = errors.borrow_mut();
    if errors.len() < MOST_ERRORS {
        let pointer = place.pointer();
        // A query has names only; a pointer would look like one into the body.
        let pointer = if texts {
            pointer.trim_start_matches('/').to_owned()
        } else {
            pointer
        };
        errors.push(FieldError {
            pointer,
            detail: detail.into(),
        });
    }
    None
}

/// Reads a whole body of kind `T`.
///
/// # Errors
/// Every field that does not hold.
pub fn read_body<T: FromFields>(value: &Value) -> Result<T, Vec<FieldError>> {
    read_whole(value, false)
}

/// Reads query parameters, all of which are texts, of kind `T`.
///
/// # Errors
/// Every parameter that does not hold.
pub fn read_query<T: FromFields>(value: &Value) -> Result<T, Vec<FieldError>> {
    read_whole(value, true)
}

fn read_whole<T: FromFields>(value: &Value, texts: bool) -> Result<T, Vec<FieldError>> {
    let errors = RefCell::new(Vec::new());
    let read = At {
        value,
        place: Place::Root,
        texts,
        errors: &errors,
    }
    .object();
    let errors = errors.into_inner();
    match read {
        Some(read) if errors.is_empty() => Ok(read),
        _ => Err(errors),
    }
}

/// Reads all fields of a struct, refuses unknown ones, and builds the struct if every one holds.
/// Each field is `required`, `optional` or `change`, as the methods of [`Fields`].
#[macro_export]
macro_rules! read_fields {
    ($fields:ident, $kind:ident { $($name:ident : $how:ident ( $read:expr )),* $(,)? }) => {{
        $(let $name = $fields.$how(stringify!($name), $read);)*
        $fields.refuse_unknown();
        match ($($name,)*) {
            ($(Some($name),)*) => Some($kind { $($name),* }),
            _ => None,
        }
    }};
}
