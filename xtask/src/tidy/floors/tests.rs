//! Little crates and what is found in them.

use std::collections::BTreeMap;

use super::of_crate;

/// A crate in memory: `lib.rs` has the picture's lines and what follows them.
fn check(picture: &[&str], files: &[(&str, &str)], expected: &[&str]) {
    let mut texts: BTreeMap<String, String> = files
        .iter()
        .map(|(path, text)| (format!("src/{path}"), (*text).to_owned()))
        .collect();
    if !picture.is_empty() {
        let root = texts.entry("src/lib.rs".to_owned()).or_default();
        *root = format!(
            "//! # Floors\n//! ```text\n//! {}\n//! ```\n{root}",
            picture.join("\n//! ")
        );
    }
    let files = texts.iter().map(|(path, text)| (path.as_str(), text.as_str()));
    let found = of_crate("src/lib.rs", &files.collect());
    assert_eq!(found, expected, "{texts:#?}");
}

/// Two modules, `high` above `low`, and what the text of `low` makes of it.
fn low(text: &str, expected: &[&str]) {
    let files = [
        (
            "lib.rs",
            "mod low; mod high; pub use high::Thing; use std::fmt::Debug; use high::Other as Renamed;",
        ),
        ("high.rs", "use crate::low; pub struct Thing; pub struct Other;"),
        ("low.rs", text),
    ];
    check(&["low", "high"], &files, expected);
}

const UP: &str = "src/low.rs:1: `crate::low` uses `crate::high`, which is on a higher floor";

#[test]
fn a_use_upwards_is_found_however_it_is_written() {
    low("", &[]);
    low("use crate::high;", &[UP]);
    low("use crate::high::Thing;", &[UP]);
    low("use crate::high::{self, Thing as Else};", &[UP]);
    low("use crate::{high::Thing};", &[UP]);
    low("use super::high::*;", &[UP]);
    low("fn f() { crate::high::f() }", &[UP]);
    low("fn f(x: &super::high::Thing) {}", &[UP]);
    low("fn f() { use crate::high; }", &[UP]);
    low("impl crate::high::Trait for X {}", &[UP]);
    low("fn f() -> Vec<crate::high::Thing> { vec![] }", &[UP]);
    low("mod inner { use super::super::high; }", &[UP]);
    low("pub use crate::high::Thing;", &[UP]);
    low("fn f() { <X as crate::high::Trait>::f() }", &[UP]);
    low("fn f() { crate::high::make!(x) }", &[UP]);
}

#[test]
fn macros_and_attributes_are_read() {
    low("fn f() { format!(\"{}\", crate::high::Thing) }", &[UP]);
    low("fn f() { json!({ \"a\": [crate::high::f()] }) }", &[UP]);
    low("macro_rules! m { () => { $crate::high::f() } }", &[UP]);
    low("#[tf(check = crate::high::check)] struct A;", &[UP]);
    low("struct A { #[serde(with = \"crate::high\")] a: u8 }", &[UP]);
    low(
        "fn f(x: X) { log!(x.high, ::crate_of::high::f(), \"crate::high\") }",
        &[],
    );
}

#[test]
fn names_that_the_root_passes_on_are_followed() {
    low("use crate::Thing;", &[UP]);
    low("fn f() { crate::Renamed }", &[UP]);
    low("use crate::Thing as T; fn f(t: T) {}", &[UP]);
    low("use crate::Debug;", &[]);
}

#[test]
fn what_is_no_use_is_not_counted() {
    low("#[cfg(test)] mod tests { use crate::high; }", &[]);
    low("#[cfg(test)] use crate::high;", &[]);
    low("#[cfg(any(test, fuzzing))] fn f() { crate::high::f() }", &[]);
    low("impl A { #[cfg(test)] fn f() { crate::high::f() } }", &[]);
    low("fn f(high: u8) -> u8 { high }", &[]);
    low("fn f() { high::f() } // another crate", &[]);
    low(
        "pub(in crate::high) struct A; /// [`crate::high`]\nstruct B;",
        &[],
    );
    low("use ::high::Thing;", &[]);
    low("fn f() { \"crate::high\" }", &[]);
}

#[test]
fn the_file_with_the_picture_is_above_it() {
    let files = [
        (
            "lib.rs",
            "mod a; mod b; pub struct Own; pub use a::A; fn f() { b::f() }",
        ),
        ("a.rs", "pub struct A; use crate::Own;"),
        ("b.rs", "use crate::A;"),
    ];
    let own =
        "src/a.rs:1: `crate::a` uses `crate`, the file with the picture, which is above all that it draws";
    check(&["a", "b"], &files, &[own]);
}

#[test]
fn a_picture_names_each_module_once() {
    let files = [
        ("lib.rs", "mod a; mod b; #[cfg(test)] mod tests;"),
        ("a.rs", ""),
        ("b.rs", ""),
    ];
    check(&["a b"], &files, &[]);
    check(&["b/   prose about a", "a   c d"], &files, &[]);
    check(&["a"], &files, &["src/lib.rs: the picture lacks `b`"]);
    check(
        &["a b", "a"],
        &files,
        &["src/lib.rs: the picture names `a` twice"],
    );
    check(
        &["a b c"],
        &files,
        &["src/lib.rs: the picture names `c`, which is no module"],
    );
    check(
        &["a b tests"],
        &files,
        &["src/lib.rs: the picture names `tests`, which is no module"],
    );
}

#[test]
fn a_crate_of_more_than_two_modules_has_a_picture() {
    let files = [
        ("lib.rs", "mod a; mod b;"),
        ("a.rs", "use crate::b;"),
        ("b.rs", "use crate::a;"),
        ("c.rs", ""),
    ];
    check(&[], &files, &[]);
    let files = [("lib.rs", "mod a; mod b; mod c;"), files[1], files[2], files[3]];
    check(
        &[],
        &files,
        &["src/lib.rs: 3 modules and no picture of them under `# Floors`"],
    );
}

#[test]
fn modules_of_one_floor_use_each_other_without_a_cycle() {
    let files = |c: &'static str| {
        [
            ("lib.rs", "mod a; mod b; mod c;"),
            ("a.rs", "use super::b;"),
            ("b.rs", "use super::c;"),
            ("c.rs", c),
        ]
    };
    check(&["a b c"], &files(""), &[]);
    check(
        &["a b c"],
        &files("\nfn f() { super::a::f() }"),
        &[
            "src/lib.rs: an import cycle on one floor: `a` -> `b` -> `c` -> `a` (src/a.rs:1 uses `crate::b`; \
           src/b.rs:1 uses `crate::c`; src/c.rs:2 uses `crate::a`)",
        ],
    );
}

#[test]
fn a_picture_may_refine_a_folder() {
    let page = "//! # Floors\n//! ```text\n//! x\n//! y\n//! ```\npub mod x; pub mod y;";
    let files = [
        ("lib.rs", "mod a; mod b;"),
        ("a/mod.rs", page),
        ("a/x.rs", "use super::y::Y;"),
        ("a/y.rs", ""),
        ("b.rs", "use crate::a::y;"),
    ];
    let found = "src/a/x.rs:1: `crate::a::x` uses `crate::a::y`, which is on a higher floor";
    check(&["a", "b"], &files, &[found]);
}

/// A folder `ops` with the folder `sqs` and the file `call` in it.
fn ops(parent: &str, queue: &str, call: &str, expected: &[&str]) {
    let files = [
        ("lib.rs", "mod ops;"),
        ("ops/mod.rs", parent),
        ("ops/sqs.rs", "pub mod queue; pub struct Table;"),
        ("ops/sqs/queue.rs", queue),
        ("ops/call.rs", call),
    ];
    check(&[], &files, expected);
}

#[test]
fn a_folder_is_in_no_cycle() {
    let own = "src/ops/mod.rs: an import cycle with a folder: `sqs/` -> its own file -> `sqs/` \
               (src/ops/sqs/queue.rs:1 uses `crate::ops`; src/ops/mod.rs:1 uses `crate::ops::sqs`)";
    // The parent's file uses the folder, which uses the parent's file.
    ops(
        "mod sqs; mod call; struct Call; fn f() { sqs::f() }",
        "use crate::ops::Call;",
        "",
        &[own],
    );
    ops(
        "mod sqs; mod call; struct Call; fn f() { sqs::f() }",
        "fn f(_: super::super::Call) {}",
        "",
        &[own],
    );
    // It merely passes on what both are made of, or what the folder has.
    ops(
        "mod sqs; mod call; use call::Call; fn f() { sqs::f() }",
        "use crate::ops::Call;",
        "",
        &[],
    );
    ops(
        "mod sqs; mod call; struct Call; pub use sqs::queue::Q;",
        "use crate::ops::Call;",
        "",
        &[],
    );
    // It uses what it passes on.
    let used = "src/ops/mod.rs: an import cycle with a folder: `sqs/` -> its own file -> `sqs/` \
               (src/ops/sqs/queue.rs:1 uses `crate::ops`; src/ops/mod.rs:1 uses `crate::ops::sqs::queue`)";
    ops(
        "mod sqs; mod call; struct Call; pub use sqs::queue::Q; fn f(_: Q) {}",
        "use crate::ops::Call;",
        "",
        &[used],
    );
    // A file beside the folder.
    let beside = "src/ops/mod.rs: an import cycle with a folder: `sqs/` -> `call` -> `sqs/` \
                  (src/ops/sqs/queue.rs:1 uses `crate::ops::call`; src/ops/call.rs:1 uses `crate::ops::sqs`)";
    ops(
        "mod sqs; mod call;",
        "use crate::ops::call;",
        "use super::sqs::Table;",
        &[beside],
    );
    // Files of one parent, and that parent.
    ops(
        "mod sqs; mod call; struct Call; fn f() { call::f() }",
        "",
        "use super::Call;",
        &[],
    );
    ops("mod sqs; mod call;", "fn f(_: super::Table) {}", "", &[]);
}

#[test]
fn what_cannot_be_followed_is_said() {
    check(&[], &[("lib.rs", "mod a;")], &["src/a.rs: no such file"]);
    check(
        &[],
        &[("lib.rs", "mod a;"), ("a.rs", "fn")],
        &["src/a.rs: is no Rust: unexpected end of input, expected identifier"],
    );
    check(
        &[],
        &[("lib.rs", "mod a { mod b; }")],
        &["src/lib.rs: `mod b;` within a module with a body is not followed"],
    );
    check(
        &[],
        &[("lib.rs", "#[path = \"else/b.rs\"] mod a;"), ("else/b.rs", "")],
        &[],
    );
}
