//! No token, key or session shows in a log, the state or an error, however much is logged.

use std::path::Path;

use acceptance::companion::Companion;
use acceptance::refuser;
use acceptance::tools::Tool;
use acceptance::workdir::{APPLY, Workdir};
use anyhow::{Context, Result, ensure};

use super::hcl::{self, ACTIVATION, BUS, CONNECTION, RULE, TARGET};
use crate::runner::Case;

const SECRET_KEY: &str = "kE7secretsecretsecret";
const SESSION: &str = "sE5sessionsessionsession";
const WRONG_TOKEN: &str = "wR0ngwrongwrongwrong";

pub(crate) fn cases() -> Vec<Case> {
    vec![
        Case::new("secrets::nowhere", nowhere),
        Case::new("secrets::in_no_answer_of_aws", in_no_answer_of_aws),
    ]
}

/// The token goes in as an environment variable first, then as a setting; then a wrong one fails.
fn nowhere(tool: &Tool) -> Result<()> {
    let mut workdir = Workdir::with(tool, Companion::start_logging("trace")?)?;
    let token = workdir.companion.line.token().to_owned();
    let log = workdir.path().join("trace.log");
    workdir.set("TF_LOG", "trace");
    workdir.set("TF_LOG_PATH", &log.to_string_lossy());
    workdir.set("AWS_SECRET_ACCESS_KEY", SECRET_KEY);
    workdir.set("AWS_SESSION_TOKEN", SESSION);
    let mut output = String::new();
    workdir.config(&hcl::all(&[CONNECTION, BUS, RULE, TARGET, ACTIVATION]))?;
    output += &workdir.apply()?.text;

    workdir.set("SCALR_TOKEN", "");
    workdir.set("TF_VAR_token", &token);
    let by_setting = "variable \"token\" { sensitive = true }\nprovider \"scalr\" { token = var.token }\n";
    workdir.config(&hcl::all(&[
        by_setting, CONNECTION, BUS, RULE, TARGET, ACTIVATION,
    ]))?;
    output += &workdir.plan_empty()?.text;

    workdir.set("TF_VAR_token", WRONG_TOKEN);
    let refused = workdir.run(&APPLY)?;
    ensure!(refused.code() == 1, "a wrong token is taken:\n{}", refused.text);
    output += &refused.text;

    let mut texts = vec![("the tool's output".to_owned(), output)];
    texts.push(("the companion's log".to_owned(), workdir.companion.log()));
    collect(workdir.path(), &mut texts)?;
    ensure!(
        texts
            .iter()
            .any(|(name, text)| name.ends_with("trace.log") && text.contains("POST /integrations")),
        "the log has no trace of the provider's calls"
    );
    for (name, text) in &texts {
        for secret in [token.as_str(), SECRET_KEY, SESSION, WRONG_TOKEN] {
            let line = text.lines().find(|line| line.contains(secret));
            ensure!(line.is_none(), "{name} shows `{secret}`: {line:?}");
        }
    }
    Ok(())
}

/// AWS refuses the signature, of the calls themselves or of the role that is to be assumed, and repeats what was signed.
fn in_no_answer_of_aws(tool: &Tool) -> Result<()> {
    const ROLE: &str = "provider \"scalr\" {\n  aws = { assume_role = { role_arn = \"arn:aws:iam::222222222222:role/r\" } }\n}\n";
    let mut workdir = Workdir::new(tool)?;
    let log = workdir.path().join("trace.log");
    workdir.set("TF_LOG", "trace");
    workdir.set("TF_LOG_PATH", &log.to_string_lossy());
    workdir.set("AWS_SECRET_ACCESS_KEY", SECRET_KEY);
    workdir.set("AWS_SESSION_TOKEN", SESSION);
    workdir.set("AWS_ENDPOINT_URL", &refuser::start()?);
    let mut texts = Vec::new();
    for provider in ["", ROLE] {
        workdir.config(&hcl::all(&[provider, CONNECTION, BUS]))?;
        let refused = workdir.apply_fails(&["does not match the signature"])?;
        texts.push(("the tool's output".to_owned(), refused.text));
    }
    collect(workdir.path(), &mut texts)?;
    for (name, text) in &texts {
        for secret in [SECRET_KEY, SESSION, "AWS4-HMAC-SHA256", "Signature="] {
            let line = text.lines().find(|line| line.contains(secret));
            ensure!(line.is_none(), "{name} shows `{secret}`: {line:?}");
        }
    }
    Ok(())
}

/// Every file of a folder and the folders in it.
fn collect(folder: &Path, texts: &mut Vec<(String, String)>) -> Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, texts)?;
        } else {
            let bytes = std::fs::read(&path).with_context(|| path.display().to_string())?;
            texts.push((
                path.display().to_string(),
                String::from_utf8_lossy(&bytes).into_owned(),
            ));
        }
    }
    Ok(())
}
