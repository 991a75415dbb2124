//! Text to tokens, one at a time: what a slash means depends on what the parser expects next.

use super::super::error::Invalid;

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token {
    /// An operator, a bracket, a comma.
    Sign(&'static str),
    Name(String),
    Variable(String),
    Text(String),
    Number(f64),
    Bool(bool),
    Null,
    /// A regular expression and its flags.
    Regex(String, String),
    End,
}

/// All signs; the longest that fits is meant.
const SIGNS: [&str; 34] = [
    "..", ":=", "!=", ">=", "<=", "**", "~>", "?:", "??", ".", "[", "]", "{", "}", "(", ")", ",", "@", "#",
    ";", ":", "?", "+", "-", "*", "/", "%", "|", "=", "<", ">", "^", "&", "!",
];

/// What a name cannot contain.
fn ends_name(letter: char) -> bool {
    letter == '~'
        || " \t\n\r\u{b}".contains(letter)
        || SIGNS
            .iter()
            .any(|sign| sign.len() == 1 && sign.starts_with(letter))
}

/// Where the parser is in the text.
#[derive(Debug)]
pub(super) struct Lexer {
    letters: Vec<char>,
    at: usize,
}

impl Lexer {
    pub(super) fn new(text: &str) -> Self {
        Self {
            letters: text.chars().collect(),
            at: 0,
        }
    }

    fn letter(&self, ahead: usize) -> Option<char> {
        self.letters.get(self.at + ahead).copied()
    }

    fn wrong<T>(at: usize, what: impl Into<String>) -> Result<T, Invalid> {
        Err(Invalid::new(what, at + 1))
    }

    /// The next token and its place. Where an operator is expected a slash divides, elsewhere it begins a regular
    /// expression.
    pub(super) fn next(&mut self, operator_expected: bool) -> Result<(Token, usize), Invalid> {
        self.skip_blank()?;
        let from = self.at;
        let token = match self.letter(0) {
            None => Token::End,
            Some('/') if !operator_expected => self.regex()?,
            Some('"' | '\'') => self.text()?,
            Some('`') => self.quoted_name()?,
            Some(letter) if letter.is_ascii_digit() => self.number()?,
            Some(letter) => match self.sign() {
                Some(sign) => Token::Sign(sign),
                None if letter == '~' => return Self::wrong(from, "`~` is no operator; `~>` is"),
                None => self.word(),
            },
        };
        Ok((token, from + 1))
    }

    fn skip_blank(&mut self) -> Result<(), Invalid> {
        loop {
            while self
                .letter(0)
                .is_some_and(|letter| " \t\n\r\u{b}".contains(letter))
            {
                self.at += 1;
            }
            if self.letter(0) != Some('/') || self.letter(1) != Some('*') {
                return Ok(());
            }
            let from = self.at;
            self.at += 2;
            while self.letter(0) != Some('*') || self.letter(1) != Some('/') {
                self.at += 1;
                if self.at >= self.letters.len() {
                    return Self::wrong(from, "a comment has no end (`*/`)");
                }
            }
            self.at += 2;
        }
    }

    fn sign(&mut self) -> Option<&'static str> {
        let found = SIGNS.iter().find(|sign| {
            sign.chars()
                .enumerate()
                .all(|(ahead, letter)| self.letter(ahead) == Some(letter))
        })?;
        self.at += found.len();
        Some(found)
    }

    fn regex(&mut self) -> Result<Token, Invalid> {
        let from = self.at;
        self.at += 1;
        let (mut depth, mut escaped) = (0_usize, false);
        loop {
            let Some(letter) = self.letter(0) else {
                return Self::wrong(from, "a regular expression has no end (`/`)");
            };
            match letter {
                _ if escaped => {}
                '/' if depth == 0 => break,
                '(' | '[' | '{' => depth += 1,
                ')' | ']' | '}' => depth = depth.saturating_sub(1),
                _ => {}
            }
            escaped = letter == '\\' && !escaped;
            self.at += 1;
        }
        let source: String = self.letters[from + 1..self.at].iter().collect();
        if source.is_empty() {
            return Self::wrong(from, "a regular expression is empty");
        }
        self.at += 1;
        let mut flags = String::new();
        while let Some(flag @ ('i' | 'm')) = self.letter(0) {
            flags.push(flag);
            self.at += 1;
        }
        Ok(Token::Regex(source, flags))
    }

    fn text(&mut self) -> Result<Token, Invalid> {
        let from = self.at;
        let quote = self.letter(0);
        self.at += 1;
        let mut units: Vec<u16> = Vec::new();
        loop {
            let Some(letter) = self.letter(0) else {
                return Self::wrong(from, "a text has no closing quote");
            };
            self.at += 1;
            if Some(letter) == quote {
                return Ok(Token::Text(String::from_utf16_lossy(&units)));
            }
            if letter == '\\' {
                units.push(self.escape()?);
            } else {
                units.extend_from_slice(letter.encode_utf16(&mut [0; 2]));
            }
        }
    }

    /// What stands for the letters after a backslash.
    fn escape(&mut self) -> Result<u16, Invalid> {
        let at = self.at - 1;
        let letter = self.letter(0);
        self.at += 1;
        let plain = match letter {
            Some('b') => '\u{8}',
            Some('f') => '\u{c}',
            Some('n') => '\n',
            Some('r') => '\r',
            Some('t') => '\t',
            Some('"' | '\\' | '/') => letter.unwrap_or_default(),
            Some('u') => {
                let digits: String = self.letters.iter().skip(self.at).take(4).collect();
                self.at += 4;
                return u16::from_str_radix(&digits, 16)
                    .ok()
                    .filter(|_| digits.len() == 4 && !digits.starts_with('+'))
                    .map_or_else(|| Self::wrong(at, "`\\u` needs four hexadecimal digits"), Ok);
            }
            _ => {
                return Self::wrong(
                    at,
                    "a text has an escape that is none of \\\" \\\\ \\/ \\b \\f \\n \\r \\t \\u",
                );
            }
        };
        Ok(plain.encode_utf16(&mut [0; 2])[0])
    }

    fn quoted_name(&mut self) -> Result<Token, Invalid> {
        let from = self.at;
        let rest = &self.letters[from + 1..];
        let Some(length) = rest.iter().position(|letter| *letter == '`') else {
            return Self::wrong(from, "a name has no closing backquote");
        };
        let name = rest[..length].iter().collect();
        self.at += length + 2;
        Ok(Token::Name(name))
    }

    fn number(&mut self) -> Result<Token, Invalid> {
        let from = self.at;
        let digits = |lexer: &mut Self| {
            while lexer.letter(0).is_some_and(|letter| letter.is_ascii_digit()) {
                lexer.at += 1;
            }
        };
        if self.letter(0) == Some('0') {
            self.at += 1;
        } else {
            digits(self);
        }
        if self.letter(0) == Some('.') && self.letter(1).is_some_and(|letter| letter.is_ascii_digit()) {
            self.at += 1;
            digits(self);
        }
        if matches!(self.letter(0), Some('e' | 'E')) {
            let signed = usize::from(matches!(self.letter(1), Some('+' | '-')));
            if self
                .letter(1 + signed)
                .is_some_and(|letter| letter.is_ascii_digit())
            {
                self.at += 1 + signed;
                digits(self);
            }
        }
        let text: String = self.letters[from..self.at].iter().collect();
        match text.parse::<f64>() {
            Ok(number) if number.is_finite() => Ok(Token::Number(number)),
            _ => Self::wrong(from, format!("the number {text} is out of range")),
        }
    }

    fn word(&mut self) -> Token {
        let from = self.at;
        while self.letter(0).is_some_and(|letter| !ends_name(letter)) {
            self.at += 1;
        }
        let word: String = self.letters[from..self.at].iter().collect();
        if let Some(variable) = word.strip_prefix('$') {
            return Token::Variable(variable.to_owned());
        }
        match word.as_str() {
            "and" => Token::Sign("and"),
            "or" => Token::Sign("or"),
            "in" => Token::Sign("in"),
            "true" => Token::Bool(true),
            "false" => Token::Bool(false),
            "null" => Token::Null,
            _ => Token::Name(word),
        }
    }
}
