//! `--assume NAME=VALUE`: what the local AWS takes for true where AWS's documents say nothing.

use aws_local::{ASSUMPTIONS, Assumptions};

#[derive(clap::Args)]
pub(super) struct Assumed {
    #[arg(long = "assume", value_name = "NAME=VALUE", value_parser = checked, help = help())]
    assume: Vec<String>,
}

impl Assumed {
    /// All of them together.
    pub(super) fn all(&self) -> Assumptions {
        let mut all = Assumptions::default();
        for text in &self.assume {
            // Each was checked when it was read.
            let _ = all.set(text);
        }
        all
    }
}

fn checked(text: &str) -> Result<String, String> {
    Assumptions::default().set(text)?;
    Ok(text.to_owned())
}

fn help() -> String {
    let all: Vec<String> = ASSUMPTIONS
        .iter()
        .map(|known| format!("{}={}", known.name, known.values))
        .collect();
    format!(
        "Assume this where AWS's documents leave open how a custom event bus behaves; may be repeated: {}",
        all.join(", ")
    )
}
