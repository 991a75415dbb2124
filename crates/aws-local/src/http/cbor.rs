//! CBOR (RFC 8949), as the protocol Smithy RPC v2 CBOR carries inputs, outputs and refusals.
//!
//! Within the process inputs and outputs are JSON: bytes are base64 texts, and a time is seconds since 1970.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use minicbor::data::{Int, Tag, Type};
use minicbor::decode::Error as Broken;
use minicbor::{Decoder, Encoder};
use serde_json::{Map, Number, Value};

use crate::fault::Fault;
use crate::model::{Output, OutputKind};
use crate::ops::{PutResult, PutResults};

/// The tag of a time (RFC 8949, section 3.4.2).
const EPOCH: Tag = Tag::new(1);

/// The most items that an input may have: 100 entries with all their pairs are far fewer, and each takes memory.
const ITEMS_MAX: usize = 200_000;

/// About as long is a row of the answer to a put.
const ROW_BYTES: usize = 128;

/// What an input may still have.
struct Reader<'b> {
    from: Decoder<'b>,
    items_left: usize,
}

/// Reads an input, which nests so deep at most. Definite and indefinite lengths are taken; bytes after it are not.
pub(crate) fn read(bytes: &[u8], depth: usize) -> Result<Value, Fault> {
    let mut reader = Reader {
        from: Decoder::new(bytes),
        items_left: ITEMS_MAX,
    };
    let input = value(&mut reader, depth)
        .map_err(|error| refused(format!("The request body is not CBOR that can be read: {error}")))?;
    if !input.is_object() {
        return Err(refused("The request body is not a map."));
    }
    if reader.from.position() != bytes.len() {
        return Err(refused("The request body goes on after its map."));
    }
    Ok(input)
}

fn refused(why: impl Into<String>) -> Fault {
    Fault::new("SerializationException", why)
}

fn value(reader: &mut Reader<'_>, depth: usize) -> Result<Value, Broken> {
    let from = &mut reader.from;
    let at = from.position();
    let Some(below) = depth.checked_sub(1) else {
        return Err(Broken::message("it nests too deep").at(at));
    };
    let left = reader.items_left.checked_sub(1);
    reader.items_left = left.ok_or_else(|| Broken::message("it has too many items").at(at))?;
    match from.datatype()? {
        Type::Bool => from.bool().map(Value::Bool),
        Type::Null => from.null().map(|()| Value::Null),
        Type::Undefined => from.undefined().map(|()| Value::Null),
        Type::U8 | Type::U16 | Type::U32 | Type::U64 => from.u64().map(Value::from),
        Type::I8 | Type::I16 | Type::I32 | Type::I64 | Type::Int => integer(from),
        Type::F16 | Type::F32 | Type::F64 => float(from),
        Type::String | Type::StringIndef => text(from).map(Value::String),
        Type::Bytes | Type::BytesIndef => {
            let mut whole = Vec::new();
            for part in from.bytes_iter()? {
                whole.extend(part?);
            }
            Ok(Value::String(BASE64.encode(whole)))
        }
        Type::Array | Type::ArrayIndef => list(reader, below),
        Type::Map | Type::MapIndef => map(reader, below),
        Type::Tag => time(from),
        other => Err(Broken::message(format!("{other} is no value")).at(at)),
    }
}

fn integer(from: &mut Decoder<'_>) -> Result<Value, Broken> {
    let at = from.position();
    let number = i64::try_from(from.int()?);
    number
        .map(Value::from)
        .map_err(|_| Broken::message("an integer is below -2^63").at(at))
}

fn float(from: &mut Decoder<'_>) -> Result<Value, Broken> {
    let at = from.position();
    let number = match from.datatype()? {
        Type::F16 => f64::from(from.f16()?),
        Type::F32 => f64::from(from.f32()?),
        _ => from.f64()?,
    };
    Number::from_f64(number)
        .map(Value::Number)
        .ok_or_else(|| Broken::message("a number is infinite or none").at(at))
}

fn text(from: &mut Decoder<'_>) -> Result<String, Broken> {
    let mut whole = String::new();
    for part in from.str_iter()? {
        whole.push_str(part?);
    }
    Ok(whole)
}

/// Whether one more item follows: counted, or up to the break.
fn has_next(from: &mut Decoder<'_>, left: &mut Option<u64>) -> Result<bool, Broken> {
    match left {
        Some(0) => Ok(false),
        Some(count) => {
            *count -= 1;
            Ok(true)
        }
        None if from.datatype()? == Type::Break => {
            from.skip()?;
            Ok(false)
        }
        None => Ok(true),
    }
}

fn list(reader: &mut Reader<'_>, depth: usize) -> Result<Value, Broken> {
    let mut left = reader.from.array()?;
    let mut items = Vec::new();
    while has_next(&mut reader.from, &mut left)? {
        items.push(value(reader, depth)?);
    }
    Ok(Value::Array(items))
}

fn map(reader: &mut Reader<'_>, depth: usize) -> Result<Value, Broken> {
    let mut left = reader.from.map()?;
    let mut members = Map::new();
    while has_next(&mut reader.from, &mut left)? {
        let at = reader.from.position();
        let key = text(&mut reader.from)?;
        let value = value(reader, depth)?;
        if members.insert(key, value).is_some() {
            return Err(Broken::message("a key is twice in one map").at(at));
        }
    }
    Ok(Value::Object(members))
}

/// A time as seconds; no other tag has a meaning here.
fn time(from: &mut Decoder<'_>) -> Result<Value, Broken> {
    let at = from.position();
    let tag = from.tag()?;
    if tag != EPOCH {
        return Err(Broken::message(format!("tag {tag} has no meaning here")).at(at));
    }
    match from.datatype()? {
        Type::F16 | Type::F32 | Type::F64 => float(from),
        Type::U8 | Type::U16 | Type::U32 | Type::U64 => from.u64().map(Value::from),
        Type::I8 | Type::I16 | Type::I32 | Type::I64 => integer(from),
        _ => Err(Broken::message("a time is no number").at(at)),
    }
}

/// An output as its shape has it.
pub(crate) fn output(shape: Option<Output>, value: &Value) -> Vec<u8> {
    let mut out = Vec::new();
    write(shape, value, &mut Encoder::new(&mut out));
    out
}

/// The output of a put. Its rows are many, and are not made into JSON first.
pub(crate) fn put_results(results: &PutResults) -> Vec<u8> {
    let mut out = Vec::with_capacity(results.entries.len() * ROW_BYTES);
    let written = write_results(results, &mut Encoder::new(&mut out));
    debug_assert!(written.is_ok(), "memory takes all");
    out
}

fn write_results(
    results: &PutResults,
    out: &mut Encoder<&mut Vec<u8>>,
) -> Result<(), minicbor::encode::Error<std::convert::Infallible>> {
    out.map(2)?.str("Entries")?.array(results.entries.len() as u64)?;
    for entry in &results.entries {
        match entry {
            PutResult::Accepted {
                event_id,
                sequence_number,
                success_code,
            } => {
                out.map(3)?.str("EventId")?.str(event_id)?;
                out.str("SequenceNumber")?.str(sequence_number)?;
                out.str("SuccessCode")?.str(success_code)?;
            }
            PutResult::Refused {
                error_code,
                error_message,
            } => {
                out.map(2)?.str("ErrorCode")?.str(error_code)?;
                out.str("ErrorMessage")?.str(error_message)?;
            }
        }
    }
    out.str("FailedEntryCount")?
        .u64(results.failed_entry_count as u64)?;
    Ok(())
}

/// A map of the error's code and message.
pub(crate) fn fault(fault: &Fault) -> Vec<u8> {
    let members = serde_json::json!({ "__type": fault.code, "Message": fault.message });
    output(None, &members)
}

/// Writing to memory cannot fail.
fn write(shape: Option<Output>, value: &Value, out: &mut Encoder<&mut Vec<u8>>) {
    let below = |name: &str| shape.and_then(|shape| shape.below(name));
    let written = match value {
        Value::Null => out.null().map(drop),
        Value::Bool(is) => out.bool(*is).map(drop),
        Value::Number(number) => {
            let is_time = shape.is_some_and(|shape| shape.kind() == OutputKind::Time);
            if is_time {
                let _ = out.tag(EPOCH);
            }
            write_number(number, out);
            Ok(())
        }
        Value::String(text) => match shape.map(Output::kind) {
            Some(OutputKind::Bytes) => out.bytes(&BASE64.decode(text).unwrap_or_default()).map(drop),
            _ => out.str(text).map(drop),
        },
        Value::Array(items) => {
            let written = out.array(items.len() as u64).map(drop);
            for item in items {
                write(below(""), item, out);
            }
            written
        }
        Value::Object(members) => {
            let written = out.map(members.len() as u64).map(drop);
            for (name, value) in members {
                let _ = out.str(name);
                write(below(name), value, out);
            }
            written
        }
    };
    debug_assert!(written.is_ok(), "memory takes all");
}

/// A whole number as an integer, any other as a float.
fn write_number(number: &Number, out: &mut Encoder<&mut Vec<u8>>) {
    let whole = number
        .as_i64()
        .map(Int::from)
        .or_else(|| number.as_u64().map(Int::from));
    let _ = match whole.or_else(|| whole_float(number)) {
        Some(whole) => out.int(whole).map(drop),
        None => out.f64(number.as_f64().unwrap_or_default()).map(drop),
    };
}

fn whole_float(number: &Number) -> Option<Int> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    let float = number
        .as_f64()
        .filter(|float| float.fract() == 0.0 && float.abs() < EXACT)?;
    #[expect(clippy::cast_possible_truncation, reason = "it is whole and within 53 bits")]
    Some(Int::from(float as i64))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::Service;

    fn check(bytes: &[u8], expected: &Value) {
        assert_eq!(read(bytes, 10).as_ref(), Ok(expected), "{bytes:02x?}");
    }

    #[test]
    fn inputs_are_read_in_all_their_forms() {
        check(b"\xA0", &json!({}));
        check(b"\xBF\xFF", &json!({}));
        // As boto3 sends CreateEventBus.
        check(
            b"\xA2\x64Name\x61b\x74StorageConfiguration\xA1\x75RetentionPeriodInDays\x07",
            &json!({ "Name": "b", "StorageConfiguration": { "RetentionPeriodInDays": 7 } }),
        );
        // Indefinite maps, lists, texts and bytes, as the Rust client may send them.
        check(
            b"\xBF\x61a\x9F\x01\x20\xFF\x61b\x7F\x61x\x61y\xFF\x61c\x5F\x42hi\x41!\xFF\xFF",
            &json!({ "a": [1, -1], "b": "xy", "c": "aGkh" }),
        );
        // Times: whole as integers, others as floats.
        check(
            b"\xA2\x61a\xC1\x1A\x66\x22\x77\x02\x61b\xC1\xFB\x41\xD9\x88\x9D\xC0\xA0\x00\x00",
            &json!({ "a": 1_713_534_722, "b": 1_713_534_722.5 }),
        );
        check(
            b"\xA4\x61a\xF6\x61b\xF7\x61c\xF5\x61d\xF9\x3C\x00",
            &json!({ "a": null, "b": null, "c": true, "d": 1.0 }),
        );
    }

    #[test]
    fn what_is_no_input_is_refused() {
        for (bytes, why) in [
            (&b""[..], "not CBOR"),
            (b"\x01", "not a map"),
            (b"\xA0\x00", "goes on"),
            (b"\xA1\x61a", "not CBOR"),
            (b"\xA1\x01\x01", "not CBOR"),
            (b"\xA2\x61a\x01\x61a\x02", "twice"),
            (b"\xA1\x61a\xC2\x41\x01", "tag 2"),
            (b"\xA1\x61a\xC1\x61x", "no number"),
            (b"\xA1\x61a\xF9\x7E\x00", "infinite or none"),
            (b"\xA1\x61a\x81\x81\x81\x81\x81\x81\x81\x81\x81\x80", "too deep"),
            (b"\xA1\x61a\x62\xC3\x28", "not CBOR"),
        ] {
            let refused = read(bytes, 10).unwrap_err();
            assert!(refused.message.contains(why), "{bytes:02x?} {}", refused.message);
            assert_eq!(refused.code, "SerializationException");
        }
        let many = [&b"\xA1\x61a\x9A\x00\x04\x00\x00"[..], &vec![0; 0x4_0000]].concat();
        assert!(read(&many, 10).unwrap_err().message.contains("too many items"));
    }

    #[test]
    fn the_results_of_a_put_are_as_their_json() {
        let results = PutResults {
            entries: vec![
                PutResult::Accepted {
                    event_id: "e".into(),
                    sequence_number: "7".to_owned(),
                    success_code: "PUBLISHED",
                },
                PutResult::Refused {
                    error_code: "C",
                    error_message: "why".to_owned(),
                },
            ],
            failed_entry_count: 1,
        };
        let json = serde_json::to_value(&results).unwrap();
        assert_eq!(put_results(&results), output(None, &json));
    }

    #[test]
    fn outputs_have_tagged_times() {
        let shape = Service::EventsV2.output("DescribeEventBus");
        let value = json!({ "CreationTime": 1.5, "LastModifiedTime": 2.0, "Name": "b" });
        assert_eq!(
            output(shape, &value),
            b"\xA3\x6CCreationTime\xC1\xFB\x3F\xF8\0\0\0\0\0\0\x70LastModifiedTime\xC1\x02\x64Name\x61b"
        );
        let refused = fault(&Fault::new("A", "b"));
        assert_eq!(refused, b"\xA2\x67Message\x61b\x66__type\x61A");
    }
}
