//! The modules of a crate, found by following `mod x;` from its root.

use std::collections::BTreeMap;
use std::path::Path;

use super::syntax::{self, Declared, Syntax};

/// The path of a module from its crate's root: `[]` is the root, `["state", "bus"]` is `crate::state::bus`.
pub(super) type ModulePath = Vec<String>;

/// A module with a file of its own.
pub(super) struct Module {
    pub(super) file: String,
    pub(super) syntax: Syntax,
    pub(super) children: Vec<String>,
}

/// A crate's modules, without those that only tests compile.
#[derive(Default)]
pub(super) struct Tree {
    pub(super) modules: BTreeMap<ModulePath, Module>,
    /// What could not be followed.
    pub(super) lost: Vec<String>,
}

/// Follows a crate from its root file. `files` are texts by path.
pub(super) fn follow(root: &str, files: &BTreeMap<&str, &str>) -> Tree {
    let mut tree = Tree::default();
    tree.add(Vec::new(), root.to_owned(), files);
    tree
}

impl Tree {
    /// Whether a module has children.
    pub(super) fn is_folder(&self, module_path: &[String]) -> bool {
        self.modules
            .get(module_path)
            .is_some_and(|module| !module.children.is_empty())
    }

    fn add(&mut self, module_path: ModulePath, file: String, files: &BTreeMap<&str, &str>) -> bool {
        let Some(text) = files.get(file.as_str()) else {
            self.lost.push(format!("{file}: no such file"));
            return false;
        };
        let syntax = match syntax::read(text) {
            Ok(syntax) => syntax,
            Err(error) => {
                self.lost.push(format!("{file}: is no Rust: {error}"));
                return false;
            }
        };
        if syntax.test_only {
            return false;
        }
        let mut children = Vec::new();
        for declared in &syntax.modules {
            if !declared.inline.is_empty() {
                let name = &declared.name;
                self.lost.push(format!(
                    "{file}: `mod {name};` within a module with a body is not followed"
                ));
                continue;
            }
            let child = [module_path.as_slice(), std::slice::from_ref(&declared.name)].concat();
            if self.add(
                child,
                file_of(&file, module_path.is_empty(), declared, files),
                files,
            ) {
                children.push(declared.name.clone());
            }
        }
        let module = Module {
            file,
            syntax,
            children,
        };
        self.modules.insert(module_path, module);
        true
    }
}

/// The file of a module that `parent` declares.
fn file_of(parent: &str, root: bool, declared: &Declared, files: &BTreeMap<&str, &str>) -> String {
    let parent = Path::new(parent);
    let beside = parent.parent().unwrap_or(Path::new(""));
    if let Some(path) = &declared.path {
        return text(&beside.join(path));
    }
    let own = root || parent.file_name().is_some_and(|name| name == "mod.rs");
    let folder = if own {
        beside.to_path_buf()
    } else {
        parent.with_extension("")
    };
    let flat = text(&folder.join(format!("{}.rs", declared.name)));
    let deep = text(&folder.join(&declared.name).join("mod.rs"));
    if files.contains_key(deep.as_str()) {
        deep
    } else {
        flat
    }
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}
