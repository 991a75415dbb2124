//! AWS: "Create rule", step by step, with "Test pattern". What was entered so far travels with the form.

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse as _, Redirect, Response};
use scalr_events::EventType;
use serde::Deserialize;

use super::buses::{bus_link, rule_link};
use super::sources::frame;
use crate::console::answer::{Failure, Frame, html};
use crate::console::draft::{Draft, Problem, STEPS, Verdict};
use crate::console::links;
use crate::console::reads::{At, Fields, Signed};
use crate::console::state::Console;
use crate::console::terraform::Hcl;
use crate::console::text::Shown;
use crate::routes::Routes;

pub(super) fn routes() -> Routes<Console> {
    Routes::new()
        .get("/aws/{account}/{region}/rules/new", open)
        .post("/aws/{account}/{region}/rules/new", press)
}

#[derive(Deserialize)]
struct OnBus {
    bus: String,
}

#[derive(Template)]
#[template(path = "console/new_rule.html")]
struct Page {
    frame: Frame,
    account: String,
    region: String,
    bus: Shown,
    bus_link: String,
    action: String,
    steps: [&'static str; 5],
    step: usize,
    problems: Vec<Problem>,
    kept: Vec<(&'static str, String)>,
    draft: Draft,
    shown: Review,
    groups: Vec<Shown>,
    verdict: VerdictPart,
    hcl: Hcl,
}

/// What is reviewed.
struct Review {
    name: Shown,
    description: Shown,
    pattern: Shown,
    group: Shown,
    tags: Shown,
}

#[derive(Default, Template)]
#[template(path = "console/verdict.html")]
struct VerdictPart {
    class: &'static str,
    text: Shown,
    leaves: Vec<Shown>,
    warnings: Vec<Shown>,
}

impl From<Verdict> for VerdictPart {
    fn from(verdict: Verdict) -> Self {
        Self {
            class: verdict.class,
            text: verdict.text,
            leaves: verdict.leaves,
            warnings: verdict.warnings,
        }
    }
}

/// A step of the form, to be shown.
struct Form {
    at: At,
    bus: String,
    draft: Draft,
    step: usize,
    problems: Vec<Problem>,
    verdict: VerdictPart,
}

impl Form {
    async fn page(self, console: &Console, signed: &Signed) -> Result<Response, Failure> {
        let Self {
            at,
            bus,
            draft,
            step,
            problems,
            verdict,
        } = self;
        let groups = at.place.log_groups().await?.0;
        let row = console.connection_of(signed, &at.place, &bus).await?;
        let hcl = match row {
            Some(row) => Hcl::of_draft(&row, &draft, at.place.has_log_group(&draft.group).await?),
            None => Hcl::none(),
        };
        Ok(html(&Page {
            frame: frame(console, "buses", &at),
            action: links::with(&format!("{}/rules/new", at.base), &[("bus", &bus)]),
            bus_link: bus_link(&at.base, &bus),
            bus: Shown::new(&bus),
            steps: STEPS,
            step,
            problems,
            kept: draft.beside(step),
            shown: Review {
                name: Shown::new(&draft.name),
                description: Shown::new(&draft.description),
                pattern: Shown::lines(&draft.pattern),
                group: Shown::new(&draft.group),
                tags: Shown::new(draft.tags.lines().collect::<Vec<_>>().join(", ")),
            },
            groups: groups.iter().map(Shown::new).collect(),
            draft,
            verdict,
            hcl,
            account: at.place.account,
            region: at.place.region,
        }))
    }
}

async fn open(
    State(console): State<Console>,
    signed: Signed,
    Path((account, region)): Path<(String, String)>,
    Query(on): Query<OnBus>,
) -> Result<Response, Failure> {
    let at = console.at(&signed, &account, &region)?;
    let step = Form {
        at,
        bus: on.bus,
        draft: Draft::default(),
        step: 1,
        problems: Vec::new(),
        verdict: VerdictPart::default(),
    };
    step.page(&console, &signed).await
}

/// A button of the form.
async fn press(
    State(console): State<Console>,
    signed: Signed,
    Path((account, region)): Path<(String, String)>,
    Query(on): Query<OnBus>,
    headers: HeaderMap,
    Fields(draft): Fields<Draft>,
) -> Result<Response, Failure> {
    let at = console.at(&signed, &account, &region)?;
    let now = draft.step.clamp(1, STEPS.len());
    let mut step = Form {
        at,
        bus: on.bus,
        step: now,
        problems: Vec::new(),
        verdict: VerdictPart::default(),
        draft,
    };
    match step.draft.go.as_str() {
        "runs" => step.draft.fill_in(EventType::RunExecuted),
        "audit" => step.draft.fill_in(EventType::AuditLog),
        "back" => step.step = now.saturating_sub(1).max(1),
        "test" => {
            step.verdict = step.test().await?;
            if headers.contains_key("hx-request") {
                return Ok(html(&step.verdict));
            }
        }
        "create" => {
            let wrong = (1..=STEPS.len()).find(|step_no| !step.draft.problems(*step_no).is_empty());
            if let Some(wrong) = wrong {
                step.step = wrong;
                step.problems = step.draft.problems(wrong);
            } else if step.is_new().await? {
                step.at.place.create_rule(&step.bus, &step.draft).await?;
                let link = rule_link(&step.at.base, &step.bus, &step.draft.name);
                return Ok(Redirect::to(&format!("{link}&done=rule")).into_response());
            }
        }
        _ => {
            step.problems = step.draft.problems(now);
            if step.problems.is_empty() && (now != 1 || step.is_new().await?) {
                step.step = (now + 1).min(STEPS.len());
            }
        }
    }
    step.page(&console, &signed).await
}

impl Form {
    /// Whether the rule can be made; else it is said at the first step that the bus has one of this name.
    async fn is_new(&mut self) -> Result<bool, Failure> {
        if self.at.place.has_place_for(&self.bus, &self.draft).await? {
            return Ok(true);
        }
        self.step = 1;
        let why = format!(
            "The bus has a rule named {}: choose another name.",
            self.draft.name
        );
        self.problems = vec![("name", Shown::new(why))];
        Ok(false)
    }

    /// "Test pattern".
    async fn test(&self) -> Result<VerdictPart, Failure> {
        let draft = &self.draft;
        let tested = self.at.place.test_pattern(&draft.pattern, &draft.sample).await;
        Ok(match tested {
            Ok(matched) => draft.verdict(matched),
            Err(error) => draft.refused(error.to_string().trim_end_matches('.')),
        }
        .into())
    }
}
