//! The walk through the console in a real browser, as a command: a check, and what makes the guide's pictures.

use std::process::Command;

use crate::places;

/// Where the pictures are, each with the text of its page. `cargo xtask docs` leaves them alone.
pub(crate) const PICTURES: &str = "docs/pictures";

/// What the walk lacks here, and how to get it.
pub(crate) struct Missing {
    pub(crate) what: &'static str,
    pub(crate) remedy: &'static str,
}

/// The walk against the programs that cargo has built. It compares the texts of the pages that have pictures, or writes both.
pub(crate) fn walk(writes_pictures: bool) -> Result<Command, Missing> {
    let (Some(chromium), Some(node), Some(terraform)) =
        (places::chromium(), places::node(), places::terraform())
    else {
        return Err(Missing {
            what: "Chromium (Debian's package `chromium`), Node.js 20 or Terraform 1.11",
            remedy: "install it, or name it in CHROMIUM, NODE or ACCEPTANCE_TERRAFORM",
        });
    };
    let packages = places::console_tools();
    if !packages.join("installed").exists() {
        return Err(Missing {
            what: "what the console's browser test uses",
            remedy: "`cargo xtask tools` gets it",
        });
    }
    let programs = places::target().join("debug");
    let mut walk = Command::new(node);
    walk.arg(places::root().join("tests/console/walk.mjs"))
        .env("CONSOLE_TOOLS", packages)
        .env("CONSOLE_COMPANION", programs.join("scalr-eventbridge"))
        .env("CONSOLE_PROVIDER_DIR", programs)
        .env("CONSOLE_TERRAFORM", terraform)
        .env("CONSOLE_CHROMIUM", chromium)
        .env("CONSOLE_PICTURES", places::root().join(PICTURES).join("console"));
    if writes_pictures {
        walk.env("CONSOLE_WRITE", "1");
    }
    Ok(walk)
}
