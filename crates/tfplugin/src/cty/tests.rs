//! Values go out and come back the same, and what is broken is refused.

use proptest::prelude::*;

use super::{Budget, Dynamic, Number, Refinement, Type, Val, ValueError, from_json, to_json, to_msgpack};

fn from_msgpack(bytes: &[u8], ty: &Type) -> Result<Val, ValueError> {
    super::from_msgpack(bytes, ty, &mut Budget::default())
}

/// A value comes back from its wire form as it was, and its wire form is this.
fn check(value: &Val, ty: &Type, hex: &str) {
    let bytes = to_msgpack(value, ty).unwrap();
    assert_eq!(
        bytes
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect::<Vec<_>>()
            .concat(),
        hex,
        "{value:?}"
    );
    assert_eq!(from_msgpack(&bytes, ty).as_ref(), Ok(value));
}

fn number(text: &str) -> Val {
    Val::Number(text.parse().unwrap())
}

fn text(text: &str) -> Val {
    Val::String(text.to_owned())
}

#[test]
fn wire_forms() {
    let list = Type::List(Box::new(Type::Number));
    let object = Type::object([("a", Type::String), ("b", Type::Bool)]);
    let tuple = Type::Tuple(vec![Type::Bool, Type::String]);
    check(&Val::Null, &object, "c0");
    check(&Val::UNKNOWN, &object, "d40000");
    check(&Val::Bool(true), &Type::Bool, "c3");
    check(&text("hé"), &Type::String, "a368c3a9");
    check(&number("7"), &Type::Number, "07");
    check(&number("-33"), &Type::Number, "d1ffdf");
    check(
        &number("9223372036854775807"),
        &Type::Number,
        "d37fffffffffffffff",
    );
    check(&number("0.5"), &Type::Number, "cb3fe0000000000000");
    check(&number("0.1"), &Type::Number, "a3302e31");
    check(
        &number("18446744073709551615"),
        &Type::Number,
        "b43138343436373434303733373039353531363135",
    );
    check(
        &Val::List(vec![number("1"), Val::UNKNOWN, Val::Null]),
        &list,
        "9301d40000c0",
    );
    check(&Val::List(vec![Val::Bool(false), text("x")]), &tuple, "92c2a178");
    let value = Val::Map([("a".to_owned(), text("x")), ("b".to_owned(), Val::Null)].into());
    check(&value, &object, "82a161a178a162c0");
    let typed = Val::Typed(Box::new(Dynamic::new(Type::String, text("x"))));
    check(&typed, &Type::Dynamic, "92c40822737472696e6722a178");
    let typed_null = Val::Typed(Box::new(Dynamic::new(Type::String, Val::Null)));
    check(&typed_null, &Type::Dynamic, "92c40822737472696e6722c0");
    check(&Val::Null, &Type::Dynamic, "c0");
    check(&Val::UNKNOWN, &Type::Dynamic, "d40000");
}

#[test]
fn refinements() {
    let refined = |refinement| Val::Unknown(Some(Box::new(refinement)));
    let not_null = Refinement {
        null: Some(false),
        ..Refinement::default()
    };
    check(&refined(not_null.clone()), &Type::String, "c7030c8101c2");
    let prefix = Refinement {
        prefix: Some("ab".to_owned()),
        ..not_null
    };
    check(&refined(prefix), &Type::String, "c7070c8201c202a26162");
    let bounds = Refinement {
        number_min: Some((1_i64.into(), true)),
        number_max: Some(("0.1".parse().unwrap(), false)),
        ..Refinement::default()
    };
    check(&refined(bounds), &Type::Number, "c70c0c82039201c30492a3302e31c2");
    let lengths = Refinement {
        length_min: Some(1),
        length_max: Some(500),
        ..Refinement::default()
    };
    check(
        &refined(lengths),
        &Type::List(Box::new(Type::Bool)),
        "c7070c82050106d101f4",
    );
    // What a later version says beyond this is passed over.
    let later = [0xc7, 5, 12, 0x82, 1, 0xc2, 99, 0x90];
    assert_eq!(
        from_msgpack(&later, &Type::String),
        Ok(refined(Refinement {
            null: Some(false),
            ..Refinement::default()
        }))
    );
}

#[test]
fn numbers() {
    for (given, wanted) in [
        ("0", "0"),
        ("-0", "0"),
        ("007", "7"),
        ("1e3", "1000"),
        ("1.50", "1.5"),
        ("-12.34e-3", "-0.01234"),
        ("1E400", &format!("1{}", "0".repeat(400))),
        (
            "0.1000000000000000055511151231257827",
            "0.1000000000000000055511151231257827",
        ),
        (
            "123456789012345678901234567890.5",
            "123456789012345678901234567890.5",
        ),
        ("-9223372036854775809", "-9223372036854775809"),
    ] {
        assert_eq!(
            given.parse::<Number>().map(|number| number.to_string()),
            Ok(wanted.to_owned())
        );
    }
    for bad in [
        "",
        "-",
        ".",
        "1e",
        "0x10",
        "1e99999999999",
        "1e200000",
        "1 ",
        "NaN",
        "Inf",
        "1.2.3",
    ] {
        assert!(bad.parse::<Number>().is_err(), "{bad}");
    }
    assert_eq!("1.0".parse::<Number>(), Ok(Number::from(1_i64)));
    assert_eq!(Number::from_f64(0.1).unwrap().to_string(), "0.1");
    assert!(Number::from_f64(f64::INFINITY).unwrap().to_f64().is_infinite());
    assert!(Number::from_f64(f64::NAN).is_err());
    assert_eq!(
        from_msgpack(&[0xcb, 0x7f, 0xf8, 0, 0, 0, 0, 0, 0], &Type::Number).ok(),
        None
    );
    assert_eq!("1e20".parse::<Number>().unwrap().to_i64(), None);
    assert_eq!(
        "9.2e18".parse::<Number>().unwrap().to_i64(),
        Some(9_200_000_000_000_000_000)
    );
}

/// A few bytes stay a few bytes: read, and written again.
#[test]
fn numbers_with_many_zeros_are_not_spelt_out() {
    for text in ["1e99990", "-12e-99990", "3e401"] {
        let number: Number = text.parse().unwrap();
        assert_eq!(number.to_wire(), text);
        let value = Val::Number(number);
        let bytes = to_msgpack(&value, &Type::Number).unwrap();
        assert!(bytes.len() < 16, "{text}: {} bytes", bytes.len());
        assert_eq!(from_msgpack(&bytes, &Type::Number).as_ref(), Ok(&value));
        let json = to_json(&value, &Type::Number).unwrap();
        assert!(json.to_string().len() < 16, "{json}");
        assert_eq!(from_json(&json, &Type::Number), Ok(value));
    }
}

#[test]
fn json() {
    let ty = Type::object([
        ("n", Type::Number),
        ("s", Type::Set(Box::new(Type::String))),
        ("d", Type::Dynamic),
    ]);
    let json: serde_json::Value = serde_json::from_str(
        r#"{"n": 0.12345678901234567890123, "s": ["b", "a", "b"], "d": {"type": ["tuple", ["bool"]], "value": [true]}, "gone": 1}"#,
    )
    .unwrap();
    let value = from_json(&json, &ty).unwrap();
    let back = to_json(&value, &ty).unwrap().to_string();
    assert_eq!(
        back,
        r#"{"d":{"type":["tuple",["bool"]],"value":[true]},"n":0.12345678901234567890123,"s":["a","b"]}"#
    );
    assert!(to_json(&Val::UNKNOWN, &Type::String).is_err());
    for (json, ty) in [
        ("[1]", &ty),
        (r#"{"d": 1}"#, &ty),
        (r#"{"n": "x"}"#, &ty),
        ("true", &Type::String),
    ] {
        let json: serde_json::Value = serde_json::from_str(json).unwrap();
        assert_eq!(from_json(&json, ty).is_err(), *ty != Type::String, "{json}");
    }
}

#[test]
fn broken_messages() {
    let list = Type::List(Box::new(Type::Dynamic));
    for (bytes, ty) in [
        (&[][..], &Type::String),
        (&[0xc1], &Type::String),
        (&[0xa2, b'x'], &Type::String),
        (&[0xa1, 0xff], &Type::String),
        (&[0xc0, 0xc0], &Type::String),
        (&[0x01], &Type::String),
        (&[0xc4, 1, b'x'], &Type::String),
        (&[0xdd, 0xff, 0xff, 0xff, 0xff, 0xc0], &list),
        (&[0x91, 0x92, 0xc4, 3, b'"', b'?', b'"', 0xc0], &list),
        (&[0x92, 0xc2], &Type::Tuple(vec![Type::Bool])),
        (&[0x81, 0x01, 0xc0], &Type::Map(Box::new(Type::Bool))),
        (&[0x81, 0xa1, b'z', 0xc0], &Type::object([("a", Type::Bool)])),
    ] {
        assert!(from_msgpack(bytes, ty).is_err(), "{bytes:x?}");
    }
}

/// A type, and a value of it.
fn typed_value() -> impl Strategy<Value = (Type, Val)> {
    let leaf = prop_oneof![
        any::<bool>().prop_map(|value| (Type::Bool, Val::Bool(value))),
        ".{0,40}".prop_map(|value| (Type::String, Val::String(value))),
        any::<i64>().prop_map(|value| (Type::Number, Val::Number(value.into()))),
        "-?[0-9]{1,40}(\\.[0-9]{1,40})?".prop_map(|value| (Type::Number, number(&value))),
        Just((Type::Number, Val::Null)),
        Just((Type::String, Val::UNKNOWN)),
    ];
    leaf.prop_recursive(5, 60, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(|all| {
                let (types, values) = all.into_iter().unzip();
                (Type::Tuple(types), Val::List(values))
            }),
            prop::collection::btree_map("[a-z]{1,6}", inner.clone(), 0..6).prop_map(|all| {
                let ty = Type::object(all.iter().map(|(name, (ty, _))| (name.clone(), ty.clone())));
                (
                    ty,
                    Val::Map(all.into_iter().map(|(name, (_, value))| (name, value)).collect()),
                )
            }),
            (inner.clone(), 0_usize..40).prop_map(|((ty, value), count)| {
                (Type::List(Box::new(ty)), Val::List(vec![value; count]))
            }),
            inner
                .clone()
                .prop_map(|(ty, value)| (Type::Set(Box::new(ty)), Val::set([value]))),
            (inner.clone(), "[a-z]{0,40}")
                .prop_map(|((ty, value), key)| (Type::Map(Box::new(ty)), Val::Map([(key, value)].into()))),
            inner.prop_map(|(ty, value)| (Type::Dynamic, Val::Typed(Box::new(Dynamic::new(ty, value))))),
        ]
    })
}

proptest! {
    #[test]
    fn every_value_comes_back((ty, value) in typed_value()) {
        let bytes = to_msgpack(&value, &ty).unwrap();
        prop_assert_eq!(from_msgpack(&bytes, &ty).unwrap(), value.clone());
        prop_assert_eq!(Type::from_bytes(&ty.to_bytes()).unwrap(), ty.clone());
        if value.is_wholly_known() && !has_typed_null(&value) {
            prop_assert_eq!(from_json(&to_json(&value, &ty).unwrap(), &ty).unwrap(), value);
        }
    }

    #[test]
    fn no_bytes_break_the_reader(bytes in prop::collection::vec(any::<u8>(), 0..200), (ty, _) in typed_value()) {
        let _ = from_msgpack(&bytes, &ty);
        let _ = from_msgpack(&bytes, &Type::Dynamic);
    }

    #[test]
    fn floats_keep_their_reading(value in any::<f64>().prop_filter("finite", |value| value.is_finite())) {
        // Minus zero is zero: adding zero makes it so on both sides.
        let bits = (value + 0.0).to_bits();
        prop_assert_eq!(Number::from_f64(value).unwrap().to_f64().to_bits(), bits);
        prop_assert_eq!(Number::from_f64_exact(value).unwrap().to_f64().to_bits(), bits);
    }
}

/// JSON has one null for all types.
fn has_typed_null(value: &Val) -> bool {
    match value {
        Val::Typed(inner) => inner.value().is_null() || has_typed_null(inner.value()),
        Val::List(all) | Val::Set(all) => all.iter().any(has_typed_null),
        Val::Map(all) => all.values().any(has_typed_null),
        _ => false,
    }
}
