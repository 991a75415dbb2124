//! Writes the Rust form of `proto/`: `cargo run -p tfplugin --example generate-proto`.

mod generate;

fn main() -> std::io::Result<()> {
    for (name, text) in generate::generate()? {
        std::fs::write(generate::target().join(name), text)?;
    }
    Ok(())
}
