//! Writes values in the msgpack form that Terraform speaks.

use super::{Number, Refinement, Type, Val, ValueError};
use crate::path::Step;

/// The extension of an unknown value about which something is known.
pub(super) const EXT_REFINED: u8 = 12;

/// Writes a value of a type.
pub(crate) fn to_msgpack(value: &Val, ty: &Type) -> Result<Vec<u8>, ValueError> {
    let mut out = Vec::with_capacity(256);
    write(&mut out, value, ty)?;
    Ok(out)
}

fn write(out: &mut Vec<u8>, value: &Val, ty: &Type) -> Result<(), ValueError> {
    match (value, ty) {
        (Val::Typed(inner), Type::Dynamic) => {
            out.push(0x92);
            bytes(out, &inner.ty.to_bytes());
            write(out, &inner.value, &inner.ty)?;
        }
        (Val::Null, _) => out.push(0xc0),
        (Val::Unknown(None), _) => out.extend([0xd4, 0, 0]),
        (Val::Unknown(Some(refinement)), _) => unknown(out, refinement),
        (Val::Bool(value), Type::Bool) => out.push(if *value { 0xc3 } else { 0xc2 }),
        (Val::Number(value), Type::Number) => number(out, value),
        (Val::String(text), Type::String) => string(out, text),
        (Val::List(all), Type::List(inner)) | (Val::Set(all), Type::Set(inner)) => {
            header(out, all.len(), 0x90, 0xdc);
            for (n, one) in all.iter().enumerate() {
                write(out, one, inner).map_err(|error| error.under(Step::Index(n)))?;
            }
        }
        (Val::List(all), Type::Tuple(types)) if all.len() == types.len() => {
            header(out, all.len(), 0x90, 0xdc);
            for (n, (one, ty)) in all.iter().zip(types).enumerate() {
                write(out, one, ty).map_err(|error| error.under(Step::Index(n)))?;
            }
        }
        (Val::Map(all), Type::Map(inner)) => {
            header(out, all.len(), 0x80, 0xde);
            for (key, one) in all {
                string(out, key);
                write(out, one, inner).map_err(|error| error.under(Step::Key(key.clone())))?;
            }
        }
        (Val::Map(all), Type::Object(types, _)) => {
            header(out, types.len(), 0x80, 0xde);
            for (name, ty) in types {
                string(out, name);
                let one = all.get(name).unwrap_or(&Val::Null);
                write(out, one, ty).map_err(|error| error.under(Step::Attr(name.clone())))?;
            }
        }
        _ => {
            return Err(ValueError::new(format!(
                "the value is not of type {}",
                ty.to_json()
            )));
        }
    }
    Ok(())
}

/// Whole numbers as integers, exact floats as floats, all else as digits: no precision is lost.
fn number(out: &mut Vec<u8>, value: &Number) {
    if let Some(small) = value.to_i64() {
        integer(out, small);
    } else if let Some(float) = value.to_f64_exact() {
        out.push(0xcb);
        out.extend(float.to_be_bytes());
    } else {
        string(out, &value.to_wire());
    }
}

fn integer(out: &mut Vec<u8>, value: i64) {
    if let Ok(small) = i8::try_from(value)
        && small >= -32
    {
        out.extend(small.to_be_bytes());
    } else if let Ok(small) = i16::try_from(value) {
        out.push(0xd1);
        out.extend(small.to_be_bytes());
    } else if let Ok(small) = i32::try_from(value) {
        out.push(0xd2);
        out.extend(small.to_be_bytes());
    } else {
        out.push(0xd3);
        out.extend(value.to_be_bytes());
    }
}

fn string(out: &mut Vec<u8>, text: &str) {
    let size = text.len();
    match (u8::try_from(size), u16::try_from(size)) {
        (Ok(small), _) if small < 32 => out.push(0xa0 | small),
        (Ok(small), _) => out.extend([0xd9, small]),
        (_, Ok(medium)) => {
            out.push(0xda);
            out.extend(medium.to_be_bytes());
        }
        _ => {
            out.push(0xdb);
            out.extend(length32(size));
        }
    }
    out.extend(text.as_bytes());
}

fn bytes(out: &mut Vec<u8>, data: &[u8]) {
    match (u8::try_from(data.len()), u16::try_from(data.len())) {
        (Ok(small), _) => out.extend([0xc4, small]),
        (_, Ok(medium)) => {
            out.push(0xc5);
            out.extend(medium.to_be_bytes());
        }
        _ => {
            out.push(0xc6);
            out.extend(length32(data.len()));
        }
    }
    out.extend(data);
}

/// The head of an array or map: `fix` for fewer than 16 elements, `wide` for 16 bits of length, the next code for 32.
fn header(out: &mut Vec<u8>, size: usize, fix: u8, wide: u8) {
    match (u8::try_from(size), u16::try_from(size)) {
        (Ok(small), _) if small < 16 => out.push(fix | small),
        (_, Ok(medium)) => {
            out.push(wide);
            out.extend(medium.to_be_bytes());
        }
        _ => {
            out.push(wide + 1);
            out.extend(length32(size));
        }
    }
}

/// Nothing longer than 4 GiB is ever written: messages are bounded far below.
fn length32(size: usize) -> [u8; 4] {
    u32::try_from(size).unwrap_or(u32::MAX).to_be_bytes()
}

fn unknown(out: &mut Vec<u8>, refinement: &Refinement) {
    let mut body = Vec::new();
    let mut count = 0;
    let mut key = |body: &mut Vec<u8>, code: u8| {
        count += 1;
        body.push(code);
    };
    if let Some(null) = refinement.null {
        key(&mut body, 1);
        body.push(if null { 0xc3 } else { 0xc2 });
    }
    if let Some(prefix) = &refinement.prefix {
        key(&mut body, 2);
        string(&mut body, prefix);
    }
    for (code, bound) in [(3, &refinement.number_min), (4, &refinement.number_max)] {
        if let Some((limit, inclusive)) = bound {
            key(&mut body, code);
            body.push(0x92);
            number(&mut body, limit);
            body.push(if *inclusive { 0xc3 } else { 0xc2 });
        }
    }
    for (code, bound) in [(5, refinement.length_min), (6, refinement.length_max)] {
        if let Some(limit) = bound {
            key(&mut body, code);
            integer(&mut body, limit);
        }
    }
    let size = body.len() + 1;
    match (u8::try_from(size), u16::try_from(size)) {
        (Ok(small), _) => out.extend([0xc7, small, EXT_REFINED]),
        (_, Ok(medium)) => {
            out.push(0xc8);
            out.extend(medium.to_be_bytes());
            out.push(EXT_REFINED);
        }
        _ => {
            out.push(0xc9);
            out.extend(length32(size));
            out.push(EXT_REFINED);
        }
    }
    out.push(0x80 | count);
    out.extend(body);
}
