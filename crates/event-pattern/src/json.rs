//! Reads JSON a token at a time, from patterns and from events.
//!
//! A general JSON library does not serve here: a pattern's refusal carries the position of AWS's parser, keys may come
//! twice, numbers are compared by their spelling too, and what no rule names must cost next to nothing. The position
//! after each token follows from how that parser reads ahead, and is the same here: a key is read together with the
//! first token of its value, and a string's content only when somebody asks for it.

use crate::error::{Position, Syntax};

/// Deeper nesting than this is refused, in patterns and in events.
pub(crate) const DEPTH_MAX: usize = 1000;

/// What the reader has just passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Token {
    ObjectStart,
    ObjectEnd,
    ArrayStart,
    ArrayEnd,
    Name,
    String,
    Number,
    True,
    False,
    Null,
    End,
}

impl Token {
    pub(crate) fn is_numeric(self) -> bool {
        self == Self::Number
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Frame {
    Object,
    Array,
}

/// A pull reader over one JSON text.
pub(crate) struct Reader<'a> {
    src: &'a [u8],
    at: usize,
    frames: Vec<Frame>,
    /// The next token may be a value or key without a comma before it.
    fresh: bool,
    /// The first token of a value whose key was just given out.
    ahead: Option<Token>,
    /// A string was met and its content not yet read; `start` is its first byte.
    unread: bool,
    token: Token,
    start: usize,
    end: usize,
    name: Vec<u8>,
}

type Result<T> = std::result::Result<T, Syntax>;

impl<'a> Reader<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self {
            src: text.as_bytes(),
            at: 0,
            frames: Vec::new(),
            fresh: true,
            ahead: None,
            unread: false,
            token: Token::End,
            start: 0,
            end: 0,
            name: Vec::new(),
        }
    }

    /// Moves to the next token.
    pub(crate) fn next(&mut self) -> Result<Token> {
        if let Some(token) = self.ahead.take() {
            self.token = token;
            self.enter(token)?;
            return Ok(token);
        }
        if self.unread {
            self.skip_string()?;
        }
        self.skip_blank();
        let token = match self.frames.last() {
            None => self.value()?,
            Some(Frame::Array) => self.element()?,
            Some(Frame::Object) => self.member()?,
        };
        self.token = token;
        Ok(token)
    }

    /// Adds a string that was found sound, quotes left out, to `out` without its escapes.
    pub(crate) fn decode(raw: &'a [u8], surrogates: Surrogates, out: &mut Vec<u8>) {
        let mut reader = Self {
            src: raw,
            ..Self::new("")
        };
        while let Some(at) = memchr::memchr(b'\\', &raw[reader.at..]) {
            out.extend_from_slice(&raw[reader.at..reader.at + at]);
            reader.at += at + 1;
            if reader.escape(out, surrogates).is_err() {
                break;
            }
        }
        out.extend_from_slice(&raw[reader.at..]);
    }

    /// The bytes of the key just passed; an unpaired surrogate stays apart from every other text.
    pub(crate) fn name(&self) -> &[u8] {
        &self.name
    }

    /// The current offset, in bytes.
    pub(crate) fn offset(&self) -> usize {
        self.at
    }

    /// The offset of the current token, in bytes. For a string: after its opening quote.
    pub(crate) fn token_start(&self) -> usize {
        self.start
    }

    /// The text of the current token as it is compared: a string without its escapes, a number as it is spelt.
    pub(crate) fn text(&mut self) -> Result<Vec<u8>> {
        match self.token {
            Token::String => self.string(Surrogates::Question),
            Token::Name => Ok(self.name.clone()),
            _ => Ok(self.raw().to_vec()),
        }
    }

    /// The current token's own characters.
    pub(crate) fn raw(&self) -> &'a [u8] {
        &self.src[self.start..self.end]
    }

    pub(crate) fn position(&self) -> Position {
        Position::at(self.src, self.at)
    }

    fn enter(&mut self, token: Token) -> Result<()> {
        match token {
            Token::ObjectStart => self.push(Frame::Object),
            Token::ArrayStart => self.push(Frame::Array),
            _ => Ok(()),
        }
    }

    fn push(&mut self, frame: Frame) -> Result<()> {
        if self.frames.len() == DEPTH_MAX {
            return Err(self.fail(format!(
                "Document nesting depth exceeds the maximum allowed ({DEPTH_MAX})"
            )));
        }
        self.frames.push(frame);
        self.fresh = true;
        Ok(())
    }

    fn element(&mut self) -> Result<Token> {
        if self.peek() == Some(b']') {
            return Ok(self.close(Token::ArrayEnd));
        }
        self.comma()?;
        self.value()
    }

    fn member(&mut self) -> Result<Token> {
        if self.peek() == Some(b'}') {
            return Ok(self.close(Token::ObjectEnd));
        }
        self.comma()?;
        if self.peek() != Some(b'"') {
            return Err(self.unexpected(": was expecting double-quote to start field name"));
        }
        self.at += 1;
        self.start = self.at;
        self.name = self.string(Surrogates::Kept)?;
        self.skip_blank();
        if self.peek() != Some(b':') {
            return Err(self.unexpected(": was expecting a colon to separate field name and value"));
        }
        self.at += 1;
        self.skip_blank();
        self.ahead = Some(self.scalar_or_open()?);
        Ok(Token::Name)
    }

    fn comma(&mut self) -> Result<()> {
        if self.fresh {
            self.fresh = false;
            return Ok(());
        }
        if self.peek() != Some(b',') {
            return Err(self.unexpected(": was expecting comma to separate entries"));
        }
        self.at += 1;
        self.skip_blank();
        Ok(())
    }

    fn close(&mut self, token: Token) -> Token {
        self.start = self.at;
        self.at += 1;
        self.end = self.at;
        self.frames.pop();
        self.fresh = false;
        token
    }

    fn value(&mut self) -> Result<Token> {
        if self.frames.is_empty() && self.peek().is_none() {
            return Ok(Token::End);
        }
        let token = self.scalar_or_open()?;
        self.enter(token)?;
        Ok(token)
    }

    fn scalar_or_open(&mut self) -> Result<Token> {
        self.start = self.at;
        match self.peek() {
            Some(b'{') => Ok(self.one(Token::ObjectStart)),
            Some(b'[') => Ok(self.one(Token::ArrayStart)),
            Some(b'"') => {
                self.at += 1;
                self.start = self.at;
                self.unread = true;
                Ok(Token::String)
            }
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.word("true", Token::True),
            Some(b'f') => self.word("false", Token::False),
            Some(b'n') => self.word("null", Token::Null),
            Some(b) if b.is_ascii_alphabetic() || matches!(b, b'_' | b'$') => Err(self.unrecognized()),
            Some(_) => Err(self.unexpected(
                ": expected a valid value (JSON String, Number, Array, Object or token 'null', 'true' or 'false')",
            )),
            None => Err(self.unexpected("")),
        }
    }

    fn one(&mut self, token: Token) -> Token {
        self.at += 1;
        self.end = self.at;
        token
    }

    fn word(&mut self, word: &str, token: Token) -> Result<Token> {
        let rest = &self.src[self.at..];
        let after = rest.get(word.len()).copied();
        let goes_on = after.is_some_and(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'$' || b >= 0x80);
        if !rest.starts_with(word.as_bytes()) || goes_on {
            return Err(self.unrecognized());
        }
        self.at += word.len();
        self.end = self.at;
        Ok(token)
    }

    fn number(&mut self) -> Result<Token> {
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        match self.peek() {
            Some(b'0') => {
                self.at += 1;
                if matches!(self.peek(), Some(b'0'..=b'9')) {
                    return Err(self.fail("Invalid numeric value: Leading zeroes not allowed"));
                }
            }
            Some(b'1'..=b'9') => self.skip_digits()?,
            _ => return Err(self.unexpected(" in numeric value: expected digit (0-9)")),
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.skip_digits()?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.skip_digits()?;
        }
        self.end = self.at;
        self.after_number()
    }

    /// At the top level a number must be followed by a blank; elsewhere the next read checks what follows.
    fn after_number(&mut self) -> Result<Token> {
        let ends = matches!(self.peek(), None | Some(b' ' | b'\t' | b'\r' | b'\n'));
        if self.frames.is_empty() && !ends {
            return Err(self.unexpected(": Expected space separating root-level values"));
        }
        Ok(Token::Number)
    }

    fn skip_digits(&mut self) -> Result<()> {
        let from = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        if self.at == from {
            Err(self.unexpected(" in numeric value: expected digit (0-9)"))
        } else {
            Ok(())
        }
    }

    fn skip_blank(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.at += 1;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.src.get(self.at).copied()
    }

    fn fail(&self, what: impl Into<String>) -> Syntax {
        Syntax {
            what: what.into(),
            position: self.position(),
        }
    }

    /// An unexpected character, or the end of the text; AWS's wording.
    fn unexpected(&self, why: &str) -> Syntax {
        let rest = String::from_utf8_lossy(&self.src[self.at..]);
        let Some(c) = rest.chars().next() else {
            return self.fail(match self.frames.last() {
                Some(Frame::Object) => "Unexpected end-of-input: expected close marker for Object",
                Some(Frame::Array) => "Unexpected end-of-input: expected close marker for Array",
                None => "Unexpected end-of-input",
            });
        };
        let code = u32::from(c);
        let hex = if code > 255 {
            format!(" / {code:#x}")
        } else {
            String::new()
        };
        self.fail(format!("Unexpected character ('{c}' (code {code}{hex})){why}"))
    }

    /// A word that is none of JSON's; the parser has read the whole of it.
    fn unrecognized(&mut self) -> Syntax {
        const SHOWN_MAX: usize = 256;
        let rest = String::from_utf8_lossy(&self.src[self.at..]);
        let part = |c: &char| c.is_alphanumeric() || matches!(c, '_' | '$');
        let word: String = rest.chars().take_while(part).take(SHOWN_MAX).collect();
        self.at = self.src.len().min(self.at + word.len());
        self.fail(format!(
            "Unrecognized token '{word}': was expecting \
             (JSON String, Number, Array, Object or token 'null', 'true' or 'false')"
        ))
    }

    fn skip_string(&mut self) -> Result<()> {
        self.unread = false;
        loop {
            match self.string_stop()? {
                b'"' => return Ok(()),
                _ => self.escape(&mut Vec::new(), Surrogates::Question)?,
            }
        }
    }

    /// Goes on to the next quote or backslash and past it.
    fn string_stop(&mut self) -> Result<u8> {
        loop {
            let Some(byte) = self.peek() else {
                return Err(
                    self.fail("Unexpected end-of-input: was expecting closing quote for a string value")
                );
            };
            if byte < 0x20 {
                return Err(self.fail(format!(
                    "Illegal unquoted character ((CTRL-CHAR, code {byte})): has to be escaped using backslash to be \
                     included in string value"
                )));
            }
            self.at += 1;
            if byte == b'"' || byte == b'\\' {
                return Ok(byte);
            }
        }
    }

    fn string(&mut self, surrogates: Surrogates) -> Result<Vec<u8>> {
        if !self.unread && self.token == Token::String {
            self.at = self.start;
        }
        self.unread = false;
        let mut out = Vec::new();
        loop {
            let from = self.at;
            let stop = self.string_stop()?;
            out.extend_from_slice(&self.src[from..self.at - 1]);
            if stop == b'"' {
                self.end = self.at - 1;
                return Ok(out);
            }
            self.escape(&mut out, surrogates)?;
        }
    }

    fn escape(&mut self, out: &mut Vec<u8>, surrogates: Surrogates) -> Result<()> {
        let Some(byte) = self.peek() else {
            return Err(self.fail("Unexpected end-of-input in character escape sequence"));
        };
        self.at += 1;
        out.push(match byte {
            b'"' | b'\\' | b'/' => byte,
            b'b' => 8,
            b't' => 9,
            b'n' => 10,
            b'f' => 12,
            b'r' => 13,
            b'u' => return self.unicode(out, surrogates),
            _ => return Err(self.fail(format!("Unrecognized character escape (code {byte})"))),
        });
        Ok(())
    }

    fn unicode(&mut self, out: &mut Vec<u8>, surrogates: Surrogates) -> Result<()> {
        let unit = self.hex4()?;
        let mut code = u32::from(unit);
        if (0xd800..0xdc00).contains(&unit) && self.src[self.at..].starts_with(b"\\u") {
            let back = self.at;
            self.at += 2;
            let low = self.hex4()?;
            if (0xdc00..0xe000).contains(&low) {
                code = 0x1_0000 + ((code - 0xd800) << 10) + (u32::from(low) - 0xdc00);
            } else {
                self.at = back;
            }
        }
        match char::from_u32(code) {
            Some(c) => out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
            None => surrogates.put(unit, out),
        }
        Ok(())
    }

    fn hex4(&mut self) -> Result<u16> {
        let digits = self.src.get(self.at..self.at + 4).unwrap_or_default();
        let valid = digits.len() == 4 && digits.iter().all(u8::is_ascii_hexdigit);
        let text = std::str::from_utf8(digits).unwrap_or_default();
        match u16::from_str_radix(text, 16) {
            Ok(unit) if valid => {
                self.at += 4;
                Ok(unit)
            }
            _ => Err(self.unexpected(": expected a hex-digit for character escape sequence")),
        }
    }
}

/// A key for people: half a surrogate pair is shown as Java writes it, a question mark.
pub(crate) fn shown(key: &[u8]) -> String {
    let mut text = String::with_capacity(key.len());
    for chunk in key.utf8_chunks() {
        text.push_str(chunk.valid());
        // The three bytes of a half are three chunks that are not valid, of which the first says which character it is.
        if chunk.invalid().first() == Some(&0xed) {
            text.push('?');
        }
    }
    text
}

/// What becomes of half a surrogate pair: UTF-8 has no form for it.
#[derive(Clone, Copy)]
pub(crate) enum Surrogates {
    /// Values are compared as UTF-8, where Java writes a question mark.
    Question,
    /// Keys are compared as they are.
    Kept,
}

impl Surrogates {
    fn put(self, unit: u16, out: &mut Vec<u8>) {
        match self {
            Self::Question => out.push(b'?'),
            Self::Kept => {
                let [high, low] = unit.to_be_bytes();
                out.extend_from_slice(&[
                    0xe0 | (high >> 4),
                    0x80 | ((high & 15) << 2) | (low >> 6),
                    0x80 | (low & 63),
                ]);
            }
        }
    }
}
