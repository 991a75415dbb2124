//! Which texts a field can have.

/// Which texts a field can have, as far as that is published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Any.
    Text,
    /// Only these.
    OneOf(&'static [&'static str]),
    /// A word of a notation or a vocabulary that is not published: it has neither blanks nor `*`.
    Word,
    /// A word that begins with one of these.
    Id(&'static [&'static str]),
}

impl Form {
    /// The only values, where those are published; empty where there may be others.
    pub const fn values(self) -> &'static [&'static str] {
        match self {
            Self::OneOf(values) => values,
            _ => &[],
        }
    }

    /// Whether a field of this form can have this value.
    pub fn takes(self, text: &str) -> bool {
        let is_word = || !text.contains(|c: char| c == '*' || c.is_whitespace());
        match self {
            Self::Text => true,
            Self::OneOf(values) => values.contains(&text),
            Self::Word => is_word(),
            Self::Id(begins) => is_word() && begins.iter().any(|begin| text.starts_with(begin)),
        }
    }

    /// Whether some value of the field may begin so.
    pub fn may_begin(self, prefix: &str) -> bool {
        match self {
            Self::Text => true,
            Self::OneOf(values) => values.iter().any(|value| value.starts_with(prefix)),
            Self::Word => self.takes(prefix),
            Self::Id(begins) => {
                Self::Word.takes(prefix)
                    && begins
                        .iter()
                        .any(|begin| begin.starts_with(prefix) || prefix.starts_with(begin))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_take_what_they_name() {
        const ID: Form = Form::Id(&["ws-"]);
        const ONE_OF: Form = Form::OneOf(&["applied", "errored"]);
        for (form, text, takes, may_begin) in [
            (Form::Text, "a *", true, true),
            (ONE_OF, "errored", true, true),
            (ONE_OF, "err", false, true),
            (ONE_OF, "erorred", false, false),
            (Form::Word, "create-run", true, true),
            (Form::Word, "create-*", false, false),
            (Form::Word, "create run", false, false),
            (ID, "ws-1", true, true),
            (ID, "w", false, true),
            (ID, "ws-*", false, false),
            (ID, "network", false, false),
        ] {
            assert_eq!(
                (form.takes(text), form.may_begin(text)),
                (takes, may_begin),
                "{form:?} {text}"
            );
        }
    }
}
