//! The code blocks of README and docs: HCL is checked by the tool with the provider, commands are run against a companion. What is not
//! run says so before the block (`tests/src/blocks.rs`).

use std::collections::BTreeSet;

use acceptance::blocks::{self, Block, Language, Mark};
use acceptance::paths;
use acceptance::surroundings::{self, Kind};
use acceptance::tools::Tool;
use acceptance::workdir::Workdir;
use anyhow::{Context, Result, ensure};

use crate::runner::{Case, is_newest};

pub(crate) fn cases() -> Vec<Case> {
    let written: Vec<Block> = match blocks::all() {
        Ok(all) => all.into_iter().filter(is_run).collect(),
        Err(error) => {
            let text = format!("{error:#}");
            return vec![Case::new("docs::pages", move |_| anyhow::bail!("{text}"))];
        }
    };
    let mut found = Vec::new();
    for (language, name) in [(Language::Hcl, "hcl"), (Language::Shell, "shell")] {
        let of_language: Vec<Block> = written
            .iter()
            .filter(|block| block.language == language)
            .cloned()
            .collect();
        let pages: BTreeSet<String> = of_language.iter().map(|block| block.page.clone()).collect();
        for page in pages {
            let blocks: Vec<Block> = of_language
                .iter()
                .filter(|block| block.page == page)
                .cloned()
                .collect();
            let name = format!("docs::{name}::{}", short(&page));
            found.push(Case::new(name, move |tool| {
                let blocks = blocks
                    .iter()
                    .filter(|block| serves(tool, block))
                    .cloned()
                    .collect();
                match language {
                    Language::Hcl => hcl(tool, blocks),
                    Language::Shell | Language::Other => shell(tool, &blocks),
                }
            }));
        }
    }
    found
}

fn is_run(block: &Block) -> bool {
    !block.of_example && !matches!(block.mark, Mark::NotRun(_))
}

fn serves(tool: &Tool, block: &Block) -> bool {
    block.mark == Mark::None || is_newest(tool.kind)
}

/// `docs/guides/setup.md` is `guides::setup`.
fn short(page: &str) -> String {
    let bare = page.trim_start_matches("docs/").trim_end_matches(".md");
    bare.replace('/', "::")
}

fn hcl(tool: &Tool, blocks: Vec<Block>) -> Result<()> {
    for pack in surroundings::packs(blocks) {
        let first = pack.first().context("a pack has a block")?;
        let place = format!("{}:{}", first.page, first.line);
        let checked = match surroundings::kind(&first.text) {
            Kind::Config => configuration(tool, &pack),
            Kind::Test => test(tool, first),
            Kind::Query => query(tool, first),
            Kind::Cli => settings(tool, first),
        };
        checked.with_context(|| place)?;
    }
    Ok(())
}

/// One file a block, named by its line, beside what the page leaves out; the modules of `examples/` are in `modules`.
fn configuration(tool: &Tool, pack: &[Block]) -> Result<()> {
    let workdir = Workdir::new(tool)?;
    workdir.install_stand_ins(&["hashicorp/aws"])?;
    let mut whole = String::new();
    for block in pack {
        let text = surroundings::without_others(&block.text);
        workdir.write(&format!("line-{}.tf", block.line), &text)?;
        whole += &text;
    }
    workdir.write("surroundings.tf", &surroundings::missing(&whole))?;
    if whole.contains("required_providers") {
        workdir.remove("provider.tf");
    }
    if whole.contains("./modules/") || whole.contains("module.events") {
        paths::copy_tree(&paths::example("modules"), &workdir.path().join("modules"))?;
        workdir.succeed(&["get", "-no-color"])?;
    }
    let ended = workdir.succeed(&["validate", "-no-color"])?;
    ensure!(!ended.text.contains("Warning: Invalid"), "{}", ended.text);
    Ok(())
}

/// Tests are those of the module `event-stream`, in place of its own.
fn test(tool: &Tool, block: &Block) -> Result<()> {
    let workdir = Workdir::new(tool)?;
    workdir.remove("provider.tf");
    paths::copy_files(&paths::example("modules/event-stream"), workdir.path(), ".tf")?;
    std::fs::create_dir(workdir.path().join("tests"))?;
    workdir.write("tests/page.tftest.hcl", &block.text)?;
    workdir.succeed(&["test", "-no-color"])?;
    Ok(())
}

fn query(tool: &Tool, block: &Block) -> Result<()> {
    let workdir = Workdir::new(tool)?;
    workdir.write("page.tfquery.hcl", &block.text)?;
    workdir.succeed(&["query", "-no-color"])?;
    Ok(())
}

/// Settings that the command line does not understand fail every command.
fn settings(tool: &Tool, block: &Block) -> Result<()> {
    let workdir = Workdir::new(tool)?;
    workdir.write("cli.tfrc", &block.text)?;
    let ended = workdir.succeed(&["version", "-no-color"])?;
    // It shows what is wrong, and continues.
    for fault in ["Error", "Warning", "may not behave as intended"] {
        ensure!(!ended.text.contains(fault), "{}", ended.text);
    }
    Ok(())
}

/// The commands of a page one after the other, in a folder with the repository's examples.
fn shell(tool: &Tool, page: &[Block]) -> Result<()> {
    for block in page {
        let strange = blocks::strangers(&block.text);
        ensure!(
            strange.is_empty(),
            "{}:{}: a test does not run {strange:?}: write `<!-- not run: REASON -->` on the line before the block",
            block.page,
            block.line
        );
    }
    let mut workdir = Workdir::new(tool)?;
    workdir.remove("provider.tf");
    paths::copy_tree(&paths::example(""), &workdir.path().join("examples"))?;
    let mut lines = String::new();
    for block in page {
        let place = format!(": '{}:{}'\n", block.page, block.line);
        lines.extend([place.as_str(), block.text.as_str()]);
    }
    let ended = workdir.run_shell(&lines)?;
    ensure!(ended.code() == 0, "ended with {}:\n{}", ended.code(), ended.text);
    Ok(())
}
