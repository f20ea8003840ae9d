//! The 17-character vehicle identification number (ISO 3779). Personal data: never in logs or keys.

/// A well-formed VIN in upper case. The check digit is not tested: only some markets have one.
#[derive(Clone, PartialEq, Eq)]
pub struct Vin(String);

/// Why text is not a VIN.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum VinError {
    /// Wrong number of characters.
    #[error("vin has {0} characters, expected 17")]
    Length(usize),
    /// A character that no VIN contains.
    #[error("vin contains `{0}`, expected digits and letters without I, O and Q")]
    Character(char),
}

impl Vin {
    /// The number.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Vin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Vin(…)")
    }
}

impl std::str::FromStr for Vin {
    type Err = VinError;

    fn from_str(text: &str) -> Result<Self, VinError> {
        let count = text.chars().count();
        if count != 17 {
            return Err(VinError::Length(count));
        }
        let text = text.to_ascii_uppercase();
        match text
            .chars()
            .find(|c| !c.is_ascii_alphanumeric() || matches!(c, 'I' | 'O' | 'Q'))
        {
            Some(wrong) => Err(VinError::Character(wrong)),
            None => Ok(Self(text)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_vin_has_17_characters_and_no_i_o_q() {
        assert_eq!(
            "wvwzzz1jz3w386752".parse::<Vin>().unwrap().as_str(),
            "WVWZZZ1JZ3W386752"
        );
        assert_eq!("WVWZZZ1JZ3W38675".parse::<Vin>(), Err(VinError::Length(16)));
        assert_eq!(
            "WVWZZZ1JZ3W3867522".parse::<Vin>(),
            Err(VinError::Length(18))
        );
        for wrong in ['I', 'O', 'Q', '-', 'Ä'] {
            assert_eq!(
                format!("WVWZZZ1JZ3W38675{wrong}").parse::<Vin>(),
                Err(VinError::Character(wrong))
            );
        }
    }
}
