//! CI files, run as their services run them: each step's shell, its environment and what it leaves for the next.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use yaml_rust2::{Yaml, YamlLoader};

use crate::paths;

/// A shell script with its variables.
#[derive(Clone, Debug)]
pub struct Step {
    /// What the shell is given.
    pub script: String,
    /// Its variables.
    pub environment: BTreeMap<String, String>,
}

/// The blocks of YAML in a guide.
///
/// # Errors
/// When there is no such guide, or a block is not YAML.
pub fn of_guide(name: &str) -> Result<Vec<Yaml>> {
    let path = paths::root().join("docs/guides").join(format!("{name}.md"));
    let text = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    let blocks = text.split("```yaml\n").skip(1);
    blocks
        .filter_map(|rest| rest.split("\n```").next())
        .map(one)
        .collect()
}

/// One document.
fn one(text: &str) -> Result<Yaml> {
    let documents = YamlLoader::load_from_str(text).with_context(|| text.to_owned())?;
    documents.into_iter().next().context("no document")
}

fn read(file: &Path) -> Result<Yaml> {
    one(&std::fs::read_to_string(file).with_context(|| file.display().to_string())?)
}

fn text(yaml: &Yaml) -> Option<String> {
    match yaml {
        Yaml::String(text) | Yaml::Real(text) => Some(text.clone()),
        Yaml::Integer(number) => Some(number.to_string()),
        Yaml::Boolean(value) => Some(value.to_string()),
        _ => None,
    }
}

fn pairs(yaml: &Yaml) -> BTreeMap<String, String> {
    let members = yaml.as_hash().into_iter().flatten();
    members
        .filter_map(|(name, value)| Some((text(name)?, text(value)?)))
        .collect()
}

/// The steps of a job of a GitHub workflow. Our action is followed into its file, with `inputs` in place of those of the
/// workflow; actions of others are left out.
///
/// # Errors
/// When the job or the action is not there, or has an expression that is not known here.
pub fn github(workflow: &Yaml, job: &str, inputs: &[(&str, &str)], temp: &Path) -> Result<Vec<Step>> {
    let steps = workflow["jobs"][job]["steps"].as_vec().context("no steps")?;
    let mut found = Vec::new();
    for step in steps {
        if let Some(script) = step["run"].as_str() {
            found.push(Step {
                script: script.to_owned(),
                environment: pairs(&step["env"]),
            });
            continue;
        }
        let used = step["uses"]
            .as_str()
            .context("a step that neither runs nor uses")?;
        let (place, _) = used.split_once('@').context("an action without a version")?;
        if let Some(folder) = place.strip_prefix("scalr-eventbridge/terraform-provider-scalr/") {
            let given = pairs(&step["with"]);
            found.extend(action(&paths::root().join(folder), &given, inputs, temp)?);
        }
    }
    Ok(found)
}

fn action(
    folder: &Path,
    given: &BTreeMap<String, String>,
    inputs: &[(&str, &str)],
    temp: &Path,
) -> Result<Vec<Step>> {
    let file = read(&folder.join("action.yml"))?;
    let mut known = BTreeMap::from([("runner.temp".to_owned(), temp.display().to_string())]);
    for (name, input) in file["inputs"].as_hash().context("no inputs")? {
        let name = text(name).context("an input's name")?;
        let value = given.get(&name).cloned().or_else(|| text(&input["default"]));
        known.insert(format!("inputs.{name}"), value.unwrap_or_default());
    }
    for (name, value) in inputs {
        let name = format!("inputs.{name}");
        known.insert(name, (*value).to_owned()).context("no such input")?;
    }
    let mut found = Vec::new();
    for step in file["runs"]["steps"].as_vec().context("no steps")? {
        let mut environment = pairs(&step["env"]);
        for value in environment.values_mut() {
            *value = evaluated(value, &known)?;
        }
        environment.insert("GITHUB_ACTION_PATH".to_owned(), folder.display().to_string());
        found.push(Step {
            script: step["run"]
                .as_str()
                .context("a step that runs nothing")?
                .to_owned(),
            environment,
        });
    }
    Ok(found)
}

/// A value with its `${{ … }}` replaced.
fn evaluated(value: &str, known: &BTreeMap<String, String>) -> Result<String> {
    let Some((before, rest)) = value.split_once("${{") else {
        return Ok(value.to_owned());
    };
    let (name, after) = rest.split_once("}}").context("an expression without an end")?;
    let Some(found) = known.get(name.trim()) else {
        bail!("`{}` is not known here", name.trim());
    };
    Ok(format!("{before}{found}{}", evaluated(after, known)?))
}

/// A job of a `.gitlab-ci.yml` that extends ours: `before_script` and `script` in one shell, after the variables, of which
/// `variables` replace those of the files.
///
/// # Errors
/// When the job does not extend ours, or has no script.
pub fn gitlab(file: &Yaml, job: &str, variables: &[(&str, &str)], project: &Path) -> Result<Step> {
    let job = &file[job];
    let name = job["extends"].as_str().context("a job that extends nothing")?;
    let templates = read(&paths::root().join("packaging/gitlab.yml"))?;
    let template = &templates[name];
    let mut script = String::new();
    let mut environment: BTreeMap<_, _> = variables
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    for declared in [&template["variables"], &job["variables"]] {
        let members = declared.as_hash().into_iter().flatten();
        for (name, value) in members.filter_map(|(name, value)| Some((text(name)?, text(value)?))) {
            // The shell replaces the variables that a value names, as GitLab does.
            if !environment.contains_key(&name) {
                script.extend(["export ", &name, "=\"", &value, "\"\n"]);
            }
        }
    }
    environment.insert("CI_PROJECT_DIR".to_owned(), project.display().to_string());
    for part in [&template["before_script"], &job["script"]] {
        for line in part.as_vec().context("no script")? {
            script += line.as_str().context("a line of a script")?;
            script.push('\n');
        }
    }
    Ok(Step { script, environment })
}

/// The folders that a step has put in front of the PATH.
///
/// # Errors
/// When the file cannot be read.
pub fn added_to_path(file: &Path) -> Result<Vec<PathBuf>> {
    let text = std::fs::read_to_string(file)?;
    Ok(text.lines().map(PathBuf::from).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_are_replaced_or_refused() {
        let known = BTreeMap::from([("inputs.path".to_owned(), "/p".to_owned())]);
        for (value, wanted) in [
            ("plain", Some("plain")),
            ("${{ inputs.path }}/bin", Some("/p/bin")),
            ("${{inputs.path}}:${{ inputs.path }}", Some("/p:/p")),
            ("${{ secrets.token }}", None),
        ] {
            assert_eq!(evaluated(value, &known).ok().as_deref(), wanted, "{value}");
        }
    }

    fn release() -> Yaml {
        read(&paths::root().join(".github/workflows/release.yml")).unwrap()
    }

    #[test]
    fn a_release_is_packed_tried_and_agreed_to_before_it_is_published() {
        let release = release();
        for (name, job) in release["jobs"].as_hash().unwrap() {
            let needs = &job["needs"];
            let listed = needs.as_vec().into_iter().flatten();
            let needs: Vec<_> = listed.chain([needs]).filter_map(Yaml::as_str).collect();
            let steps = job["steps"].as_vec().unwrap();
            let takes = |action| {
                move |step: &Yaml| step["uses"].as_str().is_some_and(|used| used.starts_with(action))
            };
            if steps.iter().any(takes("actions/download-artifact@")) {
                assert!(needs.contains(&"pack"), "{name:?} needs {needs:?}");
            }
            if pairs(&job["permissions"]).values().any(|value| value == "write") {
                assert!(needs.contains(&"try"), "{name:?} needs {needs:?}");
                assert_eq!(job["environment"].as_str(), Some("release"), "{name:?}");
            }
        }
    }

    #[test]
    fn a_tag_that_is_not_the_version_is_packed_nowhere() {
        let release = release();
        let steps = release["jobs"]["pack"]["steps"].as_vec().unwrap();
        let first = steps.iter().find_map(|step| step["run"].as_str()).unwrap();
        let version = env!("CARGO_PKG_VERSION");
        for (tag, wanted) in [
            (format!("v{version}"), true),
            (version.to_owned(), false),
            (format!("v{version}-rc.1"), false),
            ("v9.9.9".to_owned(), false),
            (String::new(), false),
        ] {
            let mut shell = std::process::Command::new("bash");
            shell
                .args(["-e", "-c", first])
                .current_dir(paths::root())
                .env("GITHUB_REF_NAME", &tag);
            let ended = shell.output().unwrap();
            assert_eq!(ended.status.success(), wanted, "{tag}: {ended:?}");
        }
    }

    #[test]
    fn the_guide_has_a_workflow_and_a_gitlab_job() {
        let [workflow, pipeline] = of_guide("ci").unwrap().try_into().unwrap();
        let temp = Path::new("/temp");
        let steps = github(&workflow, "terraform", &[("path", "/dist")], temp).unwrap();
        assert!(steps.len() > 2, "{steps:?}");
        let job = gitlab(
            &pipeline,
            "terraform-test",
            &[("SCALR_EVENTBRIDGE_FROM", "/dist")],
            temp,
        )
        .unwrap();
        assert!(
            job.script.contains("scalr-eventbridge exec -- "),
            "{}",
            job.script
        );
        assert!(
            !job.script.contains("export SCALR_EVENTBRIDGE_FROM"),
            "{}",
            job.script
        );
    }
}
