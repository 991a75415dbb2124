#!/bin/sh
# jsonata-core changes the order of keys in what the rest of a program writes with serde_json, without being called.
# Package: jsonata-core 2.2.13, serde_json 1.0.154 (crates.io)
# Seen: A program writes an object of serde_json's with the keys `b`, `a`. Alone it prints `{"a":2,"b":1}`. With jsonata-core among its dependencies, default features off, it prints `{"b":1,"a":2}`: the crate turns on serde_json's feature `preserve_order`, which Cargo unifies over all crates that are built together.
# Documented: serde_json names the feature and that maps are sorted without it; jsonata-core's documentation does not say that it turns it on, and has no feature that leaves it out.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
mkdir src
cat > src/main.rs <<'RS'
fn main() {
    let text = r#"{"b": 1, "a": 2}"#;
    let value: serde_json::Value = serde_json::from_str(text).expect("JSON");
    println!("{value}");
}
RS
write() {
    cat > Cargo.toml <<TOML
[package]
name = "order"
version = "0.0.0"
edition = "2021"

[dependencies]
serde_json = "=1.0.154"
$1
TOML
    cargo run --quiet
}
export CARGO_TARGET_DIR="$work/target"
alone=$(write "")
beside=$(write 'jsonata-core = { version = "=2.2.13", default-features = false }')
echo "serde_json alone:        $alone"
echo "jsonata-core beside it:  $beside"
test "$alone" = '{"a":2,"b":1}'
test "$beside" = '{"b":1,"a":2}'
