//! The README shows the example as it is.

#[test]
fn readme_holds_the_example() {
    let (readme, example) = (
        include_str!("../../README.md"),
        include_str!("../../examples/tiny.rs"),
    );
    assert!(
        readme.contains(&format!("```rust\n{example}```")),
        "put examples/tiny.rs into README.md"
    );
}
