//! Reads values from the msgpack form that Terraform speaks. Everything is bounded: a message from
//! a hostile client is an error, never a panic and never a huge allocation.

use std::collections::BTreeMap;

use super::msgpack::EXT_REFINED;
use super::{Budget, DEPTH_MAX, Dynamic, Number, Refinement, Type, Val, ValueError};
use crate::path::Step;

type Result<T> = std::result::Result<T, ValueError>;

/// Reads a value of a type; nothing may follow it.
pub(crate) fn from_msgpack(bytes: &[u8], ty: &Type, budget: &mut Budget) -> Result<Val> {
    let mut reader = Reader { rest: bytes, budget };
    let value = reader.value(ty, 0)?;
    if reader.rest.is_empty() {
        Ok(value)
    } else {
        Err(ValueError::new("bytes follow the value"))
    }
}

struct Reader<'a, 'b> {
    rest: &'a [u8],
    budget: &'b mut Budget,
}

/// What a token says about what follows it.
enum Token {
    Nil,
    Bool(bool),
    Int(i64),
    Uint(u64),
    Float(f64),
    Str(usize),
    Bin(usize),
    Array(usize),
    Map(usize),
    Ext(usize),
}

impl<'a> Reader<'a, '_> {
    fn take(&mut self, size: usize) -> Result<&'a [u8]> {
        if size > self.rest.len() {
            return Err(ValueError::new("the message ends inside a value"));
        }
        let (head, tail) = self.rest.split_at(size);
        self.rest = tail;
        Ok(head)
    }

    fn fixed<const N: usize>(&mut self) -> Result<[u8; N]> {
        let mut bytes = [0; N];
        bytes.copy_from_slice(self.take(N)?);
        Ok(bytes)
    }

    fn length(&mut self, width: u8) -> Result<usize> {
        let size = match width {
            1 => u32::from(self.fixed::<1>()?[0]),
            2 => u32::from(u16::from_be_bytes(self.fixed()?)),
            _ => u32::from_be_bytes(self.fixed()?),
        };
        usize::try_from(size).map_err(|_| ValueError::new("a length is too great"))
    }

    fn token(&mut self) -> Result<Token> {
        let [code] = self.fixed()?;
        Ok(match code {
            0x00..=0x7f => Token::Int(i64::from(code)),
            0xe0..=0xff => Token::Int(i64::from(i8::from_be_bytes([code]))),
            0x80..=0x8f => Token::Map(usize::from(code & 0x0f)),
            0x90..=0x9f => Token::Array(usize::from(code & 0x0f)),
            0xa0..=0xbf => Token::Str(usize::from(code & 0x1f)),
            0xc0 => Token::Nil,
            0xc2 | 0xc3 => Token::Bool(code == 0xc3),
            0xc4..=0xc6 => Token::Bin(self.length(1 << (code - 0xc4))?),
            0xc7..=0xc9 => Token::Ext(self.length(1 << (code - 0xc7))?),
            0xd4..=0xd8 => Token::Ext(1 << (code - 0xd4)),
            0xca => Token::Float(f64::from(f32::from_be_bytes(self.fixed()?))),
            0xcb => Token::Float(f64::from_be_bytes(self.fixed()?)),
            0xcc => Token::Uint(u64::from(self.fixed::<1>()?[0])),
            0xcd => Token::Uint(u64::from(u16::from_be_bytes(self.fixed()?))),
            0xce => Token::Uint(u64::from(u32::from_be_bytes(self.fixed()?))),
            0xcf => Token::Uint(u64::from_be_bytes(self.fixed()?)),
            0xd0 => Token::Int(i64::from(i8::from_be_bytes(self.fixed()?))),
            0xd1 => Token::Int(i64::from(i16::from_be_bytes(self.fixed()?))),
            0xd2 => Token::Int(i64::from(i32::from_be_bytes(self.fixed()?))),
            0xd3 => Token::Int(i64::from_be_bytes(self.fixed()?)),
            0xd9..=0xdb => Token::Str(self.length(1 << (code - 0xd9))?),
            0xdc | 0xdd => Token::Array(self.length(2 << (code - 0xdc))?),
            0xde | 0xdf => Token::Map(self.length(2 << (code - 0xde))?),
            0xc1 => return Err(ValueError::new("an unused msgpack code")),
        })
    }

    fn text(&mut self, size: usize) -> Result<String> {
        let bytes = self.take(size)?;
        std::str::from_utf8(bytes)
            .map(str::to_owned)
            .map_err(|_| ValueError::new("a string is not UTF-8"))
    }

    fn key(&mut self) -> Result<String> {
        match self.token()? {
            Token::Str(size) | Token::Bin(size) => self.text(size),
            _ => Err(ValueError::new("a key is not a string")),
        }
    }

    fn value(&mut self, ty: &Type, depth: usize) -> Result<Val> {
        self.budget.take(1)?;
        if depth > DEPTH_MAX {
            return Err(ValueError::new(format!("a value nests deeper than {DEPTH_MAX}")));
        }
        let token = self.token()?;
        match (token, ty) {
            (Token::Nil, _) => Ok(Val::Null),
            (Token::Ext(size), _) => self.unknown(size),
            (Token::Array(2), Type::Dynamic) => self.dynamic(depth + 1),
            (Token::Bool(value), Type::Bool) => Ok(Val::Bool(value)),
            (Token::Str(size), Type::String) => Ok(Val::String(self.text(size)?)),
            (token, Type::Number) => Ok(Val::Number(self.number(&token)?)),
            (Token::Array(size), Type::List(inner)) => {
                Ok(Val::List(self.elements(size, |_| Some(inner), depth)?))
            }
            (Token::Array(size), Type::Set(inner)) => {
                Ok(Val::set(self.elements(size, |_| Some(inner), depth)?))
            }
            (Token::Array(size), Type::Tuple(types)) if size == types.len() => {
                Ok(Val::List(self.elements(size, |n| types.get(n), depth)?))
            }
            (Token::Map(size), Type::Map(inner)) => self.map(size, inner, depth),
            (Token::Map(size), Type::Object(types, _)) => self.object(size, types, depth),
            _ => Err(ValueError::new(format!("expected {}", ty.to_json()))),
        }
    }

    fn elements<'t, T>(
        &mut self,
        size: usize,
        ty: impl Fn(usize) -> Option<&'t T>,
        depth: usize,
    ) -> Result<Vec<Val>>
    where
        T: std::borrow::Borrow<Type> + 't,
    {
        // Each element is a byte at least: a length beyond the message is false, and must not reserve memory.
        let mut all = Vec::with_capacity(size.min(self.rest.len()).min(1024));
        for n in 0..size {
            let ty = ty(n).map_or(&Type::Dynamic, std::borrow::Borrow::borrow);
            all.push(
                self.value(ty, depth + 1)
                    .map_err(|error| error.under(Step::Index(n)))?,
            );
        }
        Ok(all)
    }

    fn map(&mut self, size: usize, inner: &Type, depth: usize) -> Result<Val> {
        let mut all = BTreeMap::new();
        for _ in 0..size {
            let key = self.key()?;
            let value = self
                .value(inner, depth + 1)
                .map_err(|error| error.under(Step::Key(key.clone())))?;
            all.insert(key, value);
        }
        Ok(Val::Map(all))
    }

    fn object(&mut self, size: usize, types: &BTreeMap<String, Type>, depth: usize) -> Result<Val> {
        // What is left out becomes null, which is a value too.
        self.budget.take(types.len().saturating_sub(size))?;
        let mut all = BTreeMap::new();
        for _ in 0..size {
            let name = self.key()?;
            let Some(ty) = types.get(&name) else {
                return Err(ValueError::new("no such attribute").under(Step::Attr(name)));
            };
            let value = self
                .value(ty, depth + 1)
                .map_err(|error| error.under(Step::Attr(name.clone())))?;
            all.insert(name, value);
        }
        for name in types.keys() {
            if !all.contains_key(name) {
                all.insert(name.clone(), Val::Null);
            }
        }
        Ok(Val::Map(all))
    }

    fn dynamic(&mut self, depth: usize) -> Result<Val> {
        let ty = match self.token()? {
            Token::Bin(size) | Token::Str(size) => Type::from_bytes_within(self.take(size)?, self.budget)?,
            _ => return Err(ValueError::new("a value of dynamic type carries no type")),
        };
        let value = self.value(&ty, depth + 1)?;
        Ok(Val::Typed(Box::new(Dynamic { ty, value })))
    }

    fn number(&mut self, token: &Token) -> Result<Number> {
        match *token {
            Token::Int(value) => Ok(value.into()),
            Token::Uint(value) => Ok(value.into()),
            Token::Float(value) if value.is_nan() => Err(ValueError::new("not a number")),
            Token::Float(value) => Number::from_f64_exact(value),
            Token::Str(size) => self.text(size)?.parse(),
            _ => Err(ValueError::new("expected \"number\"")),
        }
    }

    /// Any extension is an unknown value; only one of them says more about it.
    fn unknown(&mut self, size: usize) -> Result<Val> {
        let [code] = self.fixed()?;
        let body = self.take(size)?;
        if code != EXT_REFINED {
            return Ok(Val::UNKNOWN);
        }
        let mut inner = Reader {
            rest: body,
            budget: self.budget,
        };
        Ok(Val::Unknown(Some(Box::new(inner.refinement()?))))
    }

    fn refinement(&mut self) -> Result<Refinement> {
        let Token::Map(count) = self.token()? else {
            return Err(ValueError::new("an unknown value is described by no map"));
        };
        let mut refinement = Refinement::default();
        for _ in 0..count {
            match self.token()? {
                Token::Int(1) => refinement.null = Some(self.boolean()?),
                Token::Int(2) => refinement.prefix = Some(self.key()?),
                Token::Int(3) => refinement.number_min = Some(self.bound()?),
                Token::Int(4) => refinement.number_max = Some(self.bound()?),
                Token::Int(5) => refinement.length_min = self.whole()?,
                Token::Int(6) => refinement.length_max = self.whole()?,
                _ => self.skip(0)?,
            }
        }
        Ok(refinement)
    }

    fn boolean(&mut self) -> Result<bool> {
        match self.token()? {
            Token::Bool(value) => Ok(value),
            _ => Err(ValueError::new("expected \"bool\"")),
        }
    }

    fn whole(&mut self) -> Result<Option<i64>> {
        let token = self.token()?;
        Ok(self.number(&token)?.to_i64())
    }

    fn bound(&mut self) -> Result<(Number, bool)> {
        let Token::Array(2) = self.token()? else {
            return Err(ValueError::new("a bound is not a pair"));
        };
        let token = self.token()?;
        Ok((self.number(&token)?, self.boolean()?))
    }

    /// Passes over a value of a refinement that is not known here.
    fn skip(&mut self, depth: usize) -> Result<()> {
        self.budget.take(1)?;
        if depth > DEPTH_MAX {
            return Err(ValueError::new(format!(
                "a refinement nests deeper than {DEPTH_MAX}"
            )));
        }
        match self.token()? {
            Token::Str(size) | Token::Bin(size) => self.take(size).map(drop),
            Token::Ext(size) => self.take(size + 1).map(drop),
            Token::Array(size) => (0..size).try_for_each(|_| self.skip(depth + 1)),
            Token::Map(size) => (0..size * 2).try_for_each(|_| self.skip(depth + 1)),
            _ => Ok(()),
        }
    }
}
