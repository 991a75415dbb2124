//! Reads an event fast: what no name leads to is passed over, eight bytes at a time, though not unchecked.
//!
//! It takes and refuses the same texts as [`crate::json`], which is asked for the words when something is wrong.

use crate::error::EventError;
use crate::json::{DEPTH_MAX, Reader, Surrogates, Token};

/// The event is not JSON; [`complaint`] says why.
#[derive(Debug)]
pub(crate) struct Bad;

pub(crate) type Scanned<T> = Result<T, Bad>;

/// A string's bytes, its quotes left out.
#[derive(Clone, Copy)]
pub(crate) struct Text {
    pub(crate) start: usize,
    pub(crate) end: usize,
    pub(crate) escaped: bool,
}

pub(crate) struct Scan<'e> {
    pub(crate) src: &'e [u8],
    at: usize,
    depth: usize,
}

const ONES: u64 = u64::MAX / 255;
const HIGHS: u64 = ONES * 0x80;

/// How many bytes of a JSON string come before its next quote, backslash or control character.
#[inline]
#[must_use]
pub fn plain(text: &[u8]) -> usize {
    let mut at = 0;
    while let Some((chunk, _)) = text[at..].split_first_chunk::<8>() {
        let word = u64::from_le_bytes(*chunk);
        let zero = |word: u64| word.wrapping_sub(ONES) & !word & HIGHS;
        let control = word.wrapping_sub(ONES * 0x20) & !word & HIGHS;
        let stop = zero(word ^ (ONES * 0x22)) | zero(word ^ (ONES * 0x5c)) | control;
        if stop != 0 {
            return at + (stop.trailing_zeros() / 8) as usize;
        }
        at += 8;
    }
    let is_plain = |byte: &&u8| **byte != b'"' && **byte != b'\\' && **byte >= 0x20;
    at + text[at..].iter().take_while(is_plain).count()
}

impl<'e> Scan<'e> {
    pub(crate) fn new(src: &'e [u8]) -> Self {
        Self { src, at: 0, depth: 0 }
    }

    pub(crate) fn at(&self) -> usize {
        self.at
    }

    /// The next byte that is no blank; nothing is zero, which is none of JSON's.
    #[inline]
    pub(crate) fn peek(&mut self) -> u8 {
        loop {
            match self.src.get(self.at) {
                Some(b' ' | b'\n' | b'\t' | b'\r') => self.at += 1,
                Some(byte) => return *byte,
                None => return 0,
            }
        }
    }

    /// Goes past the byte that was peeked.
    #[inline]
    pub(crate) fn step(&mut self) {
        self.at += 1;
    }

    pub(crate) fn deeper(&mut self) -> Scanned<()> {
        self.depth += 1;
        if self.depth > DEPTH_MAX { Err(Bad) } else { Ok(()) }
    }

    /// After an opening bracket: false if it closes at once.
    pub(crate) fn opened(&mut self, close: u8) -> Scanned<bool> {
        self.deeper()?;
        if self.peek() == close {
            self.step();
            self.depth -= 1;
            return Ok(false);
        }
        Ok(true)
    }

    /// After an element: false if the bracket closes.
    #[inline]
    pub(crate) fn more(&mut self, close: u8) -> Scanned<bool> {
        let byte = self.peek();
        self.step();
        if byte == b',' {
            Ok(true)
        } else if byte == close {
            self.depth -= 1;
            Ok(false)
        } else {
            Err(Bad)
        }
    }

    /// A key and its colon.
    #[inline]
    pub(crate) fn key(&mut self) -> Scanned<Text> {
        if self.peek() != b'"' {
            return Err(Bad);
        }
        self.step();
        let key = self.string()?;
        if self.peek() != b':' {
            return Err(Bad);
        }
        self.step();
        Ok(key)
    }

    /// A string, from behind its opening quote.
    #[inline]
    pub(crate) fn string(&mut self) -> Scanned<Text> {
        let start = self.at;
        let mut escaped = false;
        loop {
            self.plain();
            match self.src.get(self.at) {
                Some(b'"') => {
                    let end = self.at;
                    self.at += 1;
                    return Ok(Text { start, end, escaped });
                }
                Some(b'\\') => {
                    escaped = true;
                    self.escape()?;
                }
                _ => return Err(Bad),
            }
        }
    }

    /// Goes to the next quote, backslash or control character.
    #[inline]
    fn plain(&mut self) {
        self.at += plain(&self.src[self.at..]);
    }

    fn escape(&mut self) -> Scanned<()> {
        let digits = match self.src.get(self.at + 1) {
            Some(b'"' | b'\\' | b'/' | b'b' | b't' | b'n' | b'f' | b'r') => 0,
            Some(b'u') => 4,
            _ => return Err(Bad),
        };
        let from = self.at + 2;
        let hex = self.src.get(from..from + digits).ok_or(Bad)?;
        self.at = from + digits;
        if hex.iter().all(u8::is_ascii_hexdigit) {
            Ok(())
        } else {
            Err(Bad)
        }
    }

    /// A number, `true`, `false` or `null`.
    #[inline]
    pub(crate) fn literal(&mut self) -> Scanned<()> {
        match self.src.get(self.at) {
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.word(b"true"),
            Some(b'f') => self.word(b"false"),
            Some(b'n') => self.word(b"null"),
            _ => Err(Bad),
        }
    }

    fn word(&mut self, word: &[u8]) -> Scanned<()> {
        if self.src[self.at..].starts_with(word) {
            // What follows is no comma or bracket if the word goes on, and refused as such.
            self.at += word.len();
            return Ok(());
        }
        Err(Bad)
    }

    fn number(&mut self) -> Scanned<()> {
        if self.src.get(self.at) == Some(&b'-') {
            self.at += 1;
        }
        if self.src.get(self.at) == Some(&b'0') {
            self.at += 1;
        } else {
            self.digits()?;
        }
        if self.src.get(self.at) == Some(&b'.') {
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.src.get(self.at), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.src.get(self.at), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digits()?;
        }
        Ok(())
    }

    fn digits(&mut self) -> Scanned<()> {
        let from = self.at;
        while self.src.get(self.at).is_some_and(u8::is_ascii_digit) {
            self.at += 1;
        }
        if self.at == from { Err(Bad) } else { Ok(()) }
    }

    /// A whole value.
    pub(crate) fn skip(&mut self) -> Scanned<()> {
        match self.peek() {
            b'"' => {
                self.step();
                self.string().map(drop)
            }
            b'{' => {
                self.step();
                let mut more = self.opened(b'}')?;
                while more {
                    self.key()?;
                    self.skip()?;
                    more = self.more(b'}')?;
                }
                Ok(())
            }
            b'[' => {
                self.step();
                let mut more = self.opened(b']')?;
                while more {
                    self.skip()?;
                    more = self.more(b']')?;
                }
                Ok(())
            }
            _ => self.literal(),
        }
    }
}

/// Adds a string without its escapes to `out`.
pub(crate) fn decode(raw: &[u8], surrogates: Surrogates, out: &mut Vec<u8>) {
    Reader::decode(raw, surrogates, out);
}

/// Why an event is refused, and where.
pub(crate) fn complaint(event: &str) -> EventError {
    let mut reader = Reader::new(event);
    let mut first = true;
    let mut depth = 0_usize;
    loop {
        match reader.next() {
            Err(syntax) => return syntax.into(),
            Ok(token) if first && token != Token::ObjectStart => return EventError::NotAnObject,
            Ok(Token::ObjectStart | Token::ArrayStart) => depth += 1,
            Ok(Token::ObjectEnd | Token::ArrayEnd) => depth -= 1,
            Ok(_) => {}
        }
        first = false;
        if depth == 0 {
            return EventError::TooComplex;
        }
    }
}
