//! JSON as a tree, and written in one of its many spellings.

use super::Random;

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Json {
    /// A number, a literal, or anything else that is written literally.
    Raw(String),
    Str(String),
    Arr(Vec<Json>),
    Obj(Vec<(String, Json)>),
}

impl Json {
    pub(crate) fn raw(text: &str) -> Self {
        Self::Raw(text.to_owned())
    }

    pub(crate) fn str(text: &str) -> Self {
        Self::Str(text.to_owned())
    }

    pub(crate) fn one(key: &str, value: Self) -> Self {
        Self::Obj(vec![(key.to_owned(), value)])
    }

    /// Written with the odd blank, line break and escape.
    pub(crate) fn text(&self, random: &mut Random) -> String {
        let mut out = String::new();
        self.write(&mut out, random);
        out
    }

    fn write(&self, out: &mut String, random: &mut Random) {
        blank(out, random);
        match self {
            Self::Raw(text) => out.push_str(text),
            Self::Str(text) => string(out, text, random),
            Self::Arr(list) => {
                out.push('[');
                for (at, item) in list.iter().enumerate() {
                    out.push_str(if at > 0 { "," } else { "" });
                    item.write(out, random);
                }
                blank(out, random);
                out.push(']');
            }
            Self::Obj(list) => {
                out.push('{');
                for (at, (key, value)) in list.iter().enumerate() {
                    out.push_str(if at > 0 { "," } else { "" });
                    blank(out, random);
                    string(out, key, random);
                    blank(out, random);
                    out.push(':');
                    value.write(out, random);
                }
                blank(out, random);
                out.push('}');
            }
        }
    }
}

fn blank(out: &mut String, random: &mut Random) {
    if random.once_in(12) {
        out.push_str(random.pick(&[" ", "  ", "\n", "\t", "\r\n", "\n  "]));
    }
}

fn string(out: &mut String, text: &str, random: &mut Random) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => {
                out.push('\\');
                out.push(c);
            }
            _ if c < ' ' || random.once_in(40) => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    out.extend(["\\u".to_owned(), format!("{unit:04x}")]);
                }
            }
            _ => out.push(c),
        }
    }
    out.push('"');
}

/// The text with one character gone, doubled or replaced, or cut short.
pub(crate) fn damaged(random: &mut Random, text: &str) -> String {
    let mut chars: Vec<char> = text.chars().collect();
    let at = random.below(chars.len());
    match random.below(5) {
        0 => {
            chars.remove(at);
        }
        1 => chars.insert(at, chars[at]),
        2 => chars.truncate(at),
        3 => {
            let wrong = [
                '{', '}', '[', ']', ',', ':', '"', '0', 'x', '\\', '\u{7}', '-', '.', 'é',
            ];
            chars[at] = random.pick(&wrong);
        }
        _ => chars.extend(random.pick(&["]", "}", " {}", "x", ","]).chars()),
    }
    chars.into_iter().collect()
}
