//! Signatures of functions, `<s-nn?:s>`: which types each parameter takes.

/// The parameters that a function takes, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Signature {
    pub(super) parameters: Vec<Parameter>,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a sign of its own in the text"
)]
pub(super) struct Parameter {
    /// The letters of its types, with `m` for a missing value.
    pub(super) types: String,
    /// A value of another type is put into an array.
    pub(super) array: bool,
    /// The type of all items of the array.
    pub(super) items: Option<char>,
    pub(super) optional: bool,
    pub(super) repeated: bool,
    /// Where it is left out the context takes its place.
    pub(super) context: bool,
}

/// Each costs stack where arguments are fitted to them.
const PARAMETERS_MAX: usize = 100;

/// Whatever type.
const ANY: &str = "asnblfom";

impl Signature {
    /// Reads `<…>`; the type of the result is not looked at.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let letters: Vec<char> = text.chars().collect();
        let mut parameters: Vec<Parameter> = Vec::new();
        let mut at = 1;
        while let Some(letter) = letters.get(at).copied().filter(|letter| *letter != ':') {
            match letter {
                '>' => break,
                '-' | '?' | '+' => {
                    let last = parameters
                        .last_mut()
                        .ok_or_else(|| format!("the signature {text} has no type before {letter}"))?;
                    last.context |= letter == '-';
                    last.optional |= letter != '+';
                    last.repeated |= letter == '+';
                }
                '<' => {
                    let end = closing(&letters, at, '<', '>');
                    let last = parameters
                        .last_mut()
                        .filter(|last| last.array || last.types == "f");
                    let Some(last) = last else {
                        return Err(format!(
                            "in the signature {text} only `a` and `f` can have a type in <>"
                        ));
                    };
                    last.items = letters
                        .get(at + 1)
                        .copied()
                        .filter(|item| last.array && *item != '>');
                    at = end;
                }
                '(' => {
                    let end = closing(&letters, at, '(', ')');
                    let choice: String = letters[at + 1..end].iter().collect();
                    if choice.contains('<') {
                        return Err(format!(
                            "in the signature {text} a choice in () cannot have types in <>"
                        ));
                    }
                    parameters.push(Parameter::of(&format!("{choice}m")));
                    at = end;
                }
                _ => parameters.push(Parameter::named(letter).ok_or_else(|| {
                    format!("the signature {text} has the type `{letter}`; types are s n b l o a f j x")
                })?),
            }
            at += 1;
        }
        if parameters.len() > PARAMETERS_MAX {
            return Err("a signature has more than 100 parameters".to_owned());
        }
        Ok(Self { parameters })
    }
}

impl Parameter {
    fn of(types: &str) -> Self {
        Self {
            types: types.to_owned(),
            ..Self::default()
        }
    }

    fn named(letter: char) -> Option<Self> {
        Some(match letter {
            's' | 'n' | 'b' | 'l' | 'o' => Self::of(&format!("{letter}m")),
            'a' => Self {
                array: true,
                ..Self::of(ANY)
            },
            'f' => Self::of("f"),
            'j' => Self::of("asnblom"),
            'x' => Self::of(ANY),
            _ => return None,
        })
    }
}

/// Where the bracket that opens at `from` is closed, or the last letter.
fn closing(letters: &[char], from: usize, open: char, close: char) -> usize {
    let mut depth = 0_usize;
    for (at, letter) in letters.iter().enumerate().skip(from) {
        if *letter == open {
            depth += 1;
        } else if *letter == close {
            depth -= 1;
            if depth == 0 {
                return at;
            }
        }
    }
    letters.len() - 1
}
