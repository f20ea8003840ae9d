//! Password hashes: argon2id with its recommended cost, a few at a time.

use std::sync::Arc;

use argon2::Argon2;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use tokio::sync::Semaphore;

use crate::random::{self, Random};
use crate::secret::Secret;

/// Each hash takes 19 MiB and a core; more at once than this only wait for each other.
const AT_ONCE: usize = 2;

/// A hash no password has: verified against when an address has no account, so that the answer takes
/// as long. Same parameters as [`Argon2::default`].
const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5IG5vYm9keSE$P6xIbHyXBYjC4B5Xro0vdPvdqEq2H7s3GoQSSnYyYqI";

/// Hashes and checks passwords away from the threads that serve requests.
#[derive(Debug, Clone)]
pub struct Passwords {
    places: Arc<Semaphore>,
}

/// Why a password could not be hashed: a bug or a dying process.
#[derive(Debug, thiserror::Error)]
pub enum PasswordError {
    /// The hash function refused its parameters.
    #[error("could not hash a password: {0}")]
    Hash(String),
    /// The process is stopping.
    #[error("the process is stopping")]
    Stopping,
}

impl Default for Passwords {
    fn default() -> Self {
        Self {
            places: Arc::new(Semaphore::new(AT_ONCE)),
        }
    }
}

impl Passwords {
    /// The hash to store, in PHC form.
    ///
    /// # Errors
    /// [`PasswordError`], neither of which is the caller's doing.
    pub async fn hash(
        &self,
        password: Secret,
        random: &dyn Random,
    ) -> Result<String, PasswordError> {
        let salt: [u8; 16] = random::bytes(random);
        self.run(move || {
            let hash: argon2::password_hash::phc::PasswordHash = Argon2::default()
                .hash_password_with_salt(password.reveal().as_bytes(), &salt)
                .map_err(|error| PasswordError::Hash(error.to_string()))?;
            Ok(hash.to_string())
        })
        .await?
    }

    /// Whether `password` has the stored `hash`. Without one it takes as long and is `false`.
    ///
    /// # Errors
    /// [`PasswordError::Stopping`].
    pub async fn verify(
        &self,
        password: Secret,
        hash: Option<String>,
    ) -> Result<bool, PasswordError> {
        self.run(move || {
            let known = hash.is_some();
            let hash = hash.unwrap_or_else(|| NOBODY.to_owned());
            let same = Argon2::default()
                .verify_password(password.reveal().as_bytes(), hash.as_str())
                .is_ok();
            known && same
        })
        .await
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, PasswordError> {
        let _place = self
            .places
            .acquire()
            .await
            .map_err(|_| PasswordError::Stopping)?;
        tokio::task::spawn_blocking(work)
            .await
            .map_err(|_| PasswordError::Stopping)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::SystemRandom;

    #[tokio::test]
    async fn only_the_same_password_verifies() {
        let passwords = Passwords::default();
        let secret = |text: &str| Secret::new(text.to_owned());
        let hash = passwords
            .hash(secret("correct horse"), &SystemRandom)
            .await
            .unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
        assert!(
            passwords
                .verify(secret("correct horse"), Some(hash.clone()))
                .await
                .unwrap()
        );
        assert!(
            !passwords
                .verify(secret("correct horsf"), Some(hash))
                .await
                .unwrap()
        );
        assert!(!passwords.verify(secret("anything"), None).await.unwrap());
    }

    #[test]
    fn the_hash_nobody_has_costs_what_others_cost() {
        let parsed = argon2::password_hash::phc::PasswordHash::new(NOBODY).unwrap();
        assert!(parsed.hash.is_some() && parsed.salt.is_some());
        assert!(NOBODY.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
    }
}
