//! Accounts, and how they prove who they are.

use keys_core::time::Timestamp;

use super::id::{AccountId, ApiTokenId, SessionId};

/// An owner's account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Its id.
    pub id: AccountId,
    /// Lower-case address; unique.
    pub email: Email,
    /// What the owner calls themself.
    pub name: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
}

/// A signed-in device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Its id.
    pub id: SessionId,
    /// Whose it is.
    pub account_id: AccountId,
    /// The `user-agent` that signed in.
    pub user_agent: Option<String>,
    /// When it signed in.
    pub created_at: Timestamp,
    /// When it ends by itself.
    pub expires_at: Timestamp,
}

/// A long-lived token for programs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiToken {
    /// Its id.
    pub id: ApiTokenId,
    /// Whose it is.
    pub account_id: AccountId,
    /// What the owner calls it.
    pub name: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends by itself; never if absent.
    pub expires_at: Option<Timestamp>,
}

/// An e-mail address in lower case: one `@`, something on either side, at most 254 characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Email(String);

/// Text that is not an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an e-mail address")]
pub struct EmailError;

impl Email {
    /// The address.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::str::FromStr for Email {
    type Err = EmailError;

    fn from_str(text: &str) -> Result<Self, EmailError> {
        let text = text.trim().to_lowercase();
        let (local, domain) = text.split_once('@').ok_or(EmailError)?;
        let odd = |c: char| {
            c.is_whitespace() || c.is_control() || matches!(c, '@' | '<' | '>' | ',' | ';' | '"')
        };
        let fits = (1..=64).contains(&local.len()) && (1..=189).contains(&domain.len());
        let dots = !domain.starts_with('.') && !domain.ends_with('.') && !domain.contains("..");
        if fits && dots && !local.contains(odd) && !domain.contains(odd) {
            Ok(Self(text))
        } else {
            Err(EmailError)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_lower_cased_and_checked() {
        assert_eq!(
            "Ada@Example.COM".parse::<Email>().unwrap().as_str(),
            "ada@example.com"
        );
        for wrong in [
            "", "a", "@", "a@", "@b", "a@b@c", "a b@c", "a@b..c", "a@.b", "a\n@b", "<a@b>",
        ] {
            assert!(wrong.parse::<Email>().is_err(), "{wrong:?}");
        }
    }
}
