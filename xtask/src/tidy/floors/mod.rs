//! Floors and cycles inside our crates, read from the code: a module uses only what its parent's picture has below it, and
//! no folder is part of an import cycle.
//!
//! What counts as a use: every path in code, macros and attributes that leads to another module of the crate. A name that
//! a module above merely imports or passes on counts as a use of where it is defined. Tests and fuzz entries are left out,
//! and so are methods: `value.method()` names no module.

mod conditions;
mod cycles;
mod level;
mod order;
pub(super) mod picture;
mod syntax;
#[cfg(test)]
mod tests;
mod tree;
mod uses;

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::file::File;

/// Which crates to check.
#[derive(Clone, Copy)]
pub(super) enum Which<'a> {
    All,
    /// By its name or its folder's.
    Only(&'a str),
}

/// Checks the libraries and programs of the workspace; their tests, examples and fuzz targets have no floors.
pub(super) fn check(metadata: &str, files: &[File], which: Which<'_>) -> Result<Vec<String>> {
    let metadata: Value = serde_json::from_str(metadata).context("cargo metadata is not JSON")?;
    let root = metadata["workspace_root"].as_str().context("no workspace root")?;
    let texts = files.iter().filter(|file| file.is_rust());
    let texts: BTreeMap<&str, &str> = texts
        .map(|file| (file.path.as_str(), file.text.as_str()))
        .collect();
    let packages = metadata["packages"].as_array().context("no packages")?;
    let chosen: Vec<&Value> = packages
        .iter()
        .filter(|package| is_chosen(package, which))
        .collect();
    let names = packages.iter().filter_map(|package| package["name"].as_str());
    ensure!(
        !chosen.is_empty(),
        "no crate has that name; the crates are `{}`",
        names.collect::<Vec<_>>().join("`, `")
    );
    let roots = chosen.into_iter().flat_map(|package| roots(package, root));
    Ok(roots.flat_map(|file| of_crate(&file, &texts)).collect())
}

fn is_chosen(package: &Value, which: Which<'_>) -> bool {
    let name = package["name"].as_str().unwrap_or_default();
    match which {
        Which::All => true,
        Which::Only(wanted) => {
            let manifest = package["manifest_path"].as_str().unwrap_or_default();
            name == wanted || manifest.ends_with(&format!("/{wanted}/Cargo.toml"))
        }
    }
}

/// The root files of a package's libraries and programs.
fn roots(package: &Value, workspace: &str) -> Vec<String> {
    let targets = package["targets"].as_array().into_iter().flatten();
    let product = targets.filter(|target| {
        let kinds = target["kind"].as_array().into_iter().flatten();
        kinds
            .filter_map(Value::as_str)
            .any(|kind| ["lib", "proc-macro", "bin"].contains(&kind))
    });
    product
        .filter_map(|target| target["src_path"].as_str()?.strip_prefix(workspace))
        .map(|path| path.trim_start_matches('/').to_owned())
        .collect()
}

fn of_crate(root: &str, files: &BTreeMap<&str, &str>) -> Vec<String> {
    let mut tree = tree::follow(root, files);
    let uses = uses::all(&tree);
    let mut found = std::mem::take(&mut tree.lost);
    found.extend(order::check(&tree, &uses));
    found.extend(cycles::check(&tree, &uses));
    found
}
