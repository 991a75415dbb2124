//! The acceptance cases: one table, run by each of the three tools.
//!
//! `cargo test -p acceptance -- FILTER` runs those whose name holds FILTER; `--list` names them. A case's name is
//! `TOOL::group::case`. `ACCEPTANCE_REQUIRE_ALL=1` makes a missing tool a failure.

mod cases;
mod runner;

fn main() -> std::process::ExitCode {
    runner::main()
}
