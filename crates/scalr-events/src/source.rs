//! What an event source of Scalr's consists of: `aws.partner/scalr.com/ACCOUNT/CONNECTION`, in an AWS account.

use crate::SOURCE_PREFIX;

/// The longest name of an event source at AWS.
pub const SOURCE_LENGTH_MAX: usize = 256;

/// The longest segment of an event source's name, the other having one letter at least.
pub const SOURCE_SEGMENT_LENGTH_MAX: usize = SOURCE_LENGTH_MAX - SOURCE_PREFIX.len() - 3;

/// Why a text cannot be a segment of an event source's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SegmentError {
    /// It is empty.
    Empty,
    /// It holds a letter that it cannot hold.
    Letter(char),
    /// It is longer than [`SOURCE_SEGMENT_LENGTH_MAX`].
    TooLong,
}

/// Whether a text can be a segment of an event source's name, such as the name of a connection: letters of ASCII, digits, `.`, `-`, `_`.
pub fn check_source_segment(text: &str) -> Result<(), SegmentError> {
    let is_allowed = |letter: &char| letter.is_ascii_alphanumeric() || matches!(letter, '.' | '-' | '_');
    if text.is_empty() {
        return Err(SegmentError::Empty);
    }
    if let Some(bad) = text.chars().find(|letter| !is_allowed(letter)) {
        return Err(SegmentError::Letter(bad));
    }
    if text.len() > SOURCE_SEGMENT_LENGTH_MAX {
        return Err(SegmentError::TooLong);
    }
    Ok(())
}

/// Whether a text is the id of an AWS account: 12 digits.
pub fn is_aws_account_id(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_segment_has_letters_of_its_own_and_a_length() {
        for (text, want) in [
            ("prod", Ok(())),
            ("Prod-1._", Ok(())),
            ("", Err(SegmentError::Empty)),
            ("a b", Err(SegmentError::Letter(' '))),
            ("a/b", Err(SegmentError::Letter('/'))),
            ("größe", Err(SegmentError::Letter('ö'))),
        ] {
            assert_eq!(check_source_segment(text), want, "{text}");
        }
        let longest = "x".repeat(SOURCE_SEGMENT_LENGTH_MAX);
        assert_eq!(format!("{SOURCE_PREFIX}/a/{longest}").len(), SOURCE_LENGTH_MAX);
        assert_eq!(check_source_segment(&longest), Ok(()));
        assert_eq!(
            check_source_segment(&format!("{longest}x")),
            Err(SegmentError::TooLong)
        );
    }

    #[test]
    fn an_account_has_twelve_digits() {
        for (text, is) in [
            ("123456789012", true),
            ("12345678901", false),
            ("1234-5678-9012", false),
            ("12345678901a", false),
            ("", false),
        ] {
            assert_eq!(is_aws_account_id(text), is, "{text}");
        }
    }
}
