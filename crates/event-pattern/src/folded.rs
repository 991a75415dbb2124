//! `equals-ignore-case`, as the engine compares: by UTF-16 units.

/// A text that matches in the upper or the lower form of each of its characters.
///
/// The engine takes a text apart into UTF-16 units. Half of a surrogate pair is no character, has no case, and is
/// written as a question mark: outside the basic plane nothing equals itself here.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Folded {
    letters: Vec<Letter>,
    /// As it was written: the engine takes `a` and `A` for different comparisons.
    pub(crate) text: Vec<u8>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Letter {
    lower: Box<[u8]>,
    upper: Box<[u8]>,
}

impl Folded {
    pub(crate) fn new(text: &[u8]) -> Self {
        let mut letters = Vec::with_capacity(text.len());
        for c in String::from_utf8_lossy(text).chars() {
            if c.len_utf16() == 1 {
                letters.push(Letter::new(c));
            } else {
                letters.extend([Letter::new('?'), Letter::new('?')]);
            }
        }
        Self {
            letters,
            text: text.to_vec(),
        }
    }

    /// The lower and the upper form of each character.
    pub(crate) fn forms(&self) -> impl Iterator<Item = [&[u8]; 2]> {
        self.letters.iter().map(|letter| [&*letter.lower, &*letter.upper])
    }

    pub(crate) fn is(&self, text: &[u8]) -> bool {
        self.prefix_len(text) == Some(text.len())
    }

    pub(crate) fn starts(&self, text: &[u8]) -> bool {
        self.prefix_len(text).is_some()
            || (self.text.ends_with(b"\"") && self.prefix_len(&[text, b"\""].concat()).is_some())
    }

    /// How much of the text it covers from the start.
    fn prefix_len(&self, text: &[u8]) -> Option<usize> {
        let mut at = 0;
        for letter in &self.letters {
            let rest = &text[at..];
            at += letter.forms().find(|form| rest.starts_with(form))?.len();
        }
        Some(at)
    }

    pub(crate) fn ends(&self, text: &[u8]) -> bool {
        self.covers_end(text) || (self.text.starts_with(b"\"") && self.covers_end(&[b"\"", text].concat()))
    }

    pub(crate) fn covers_end(&self, text: &[u8]) -> bool {
        let mut rest = text;
        for letter in self.letters.iter().rev() {
            let Some(form) = letter.forms().find(|form| rest.ends_with(form)) else {
                return false;
            };
            rest = &rest[..rest.len() - form.len()];
        }
        true
    }
}

impl Letter {
    fn new(c: char) -> Self {
        let lower: String = c.to_lowercase().collect();
        let upper: String = c.to_uppercase().collect();
        Self {
            lower: lower.into_bytes().into(),
            upper: upper.into_bytes().into(),
        }
    }

    fn forms(&self) -> impl Iterator<Item = &[u8]> {
        [&*self.lower, &*self.upper].into_iter()
    }
}
