//! `events`: what became of each event in the local AWS.

use anyhow::bail;
use futures::{StreamExt as _, TryStreamExt as _};
use serde::Serialize;

use super::aws::Endpoint;
use super::local_aws::{Bus, Delivery, EVENTS, Leaf, LocalAws, Outcome, Rule, Story};
use super::show::{self, Cell, Form, Look};
use super::{given, progress};

/// Events that are read at the same time.
const AT_ONCE: usize = 8;
/// Events among which one is looked for by its run, or those of a region.
const SEARCHED_MAX: usize = 1000;

#[derive(clap::Subcommand)]
pub(super) enum What {
    /// List the latest events with what became of them.
    #[command(after_help = "Examples:\n  scalr-eventbridge events list\n  \
                            scalr-eventbridge events list --region eu-west-1\n  \
                            scalr-eventbridge events list --limit 5 --json | jq -r '.[].outcome'")]
    List(List),
    /// Show an event: each rule with the leaf that missed, each target with its attempts.
    #[command(after_help = "Examples:\n  scalr-eventbridge events show run-v0o9h\n  \
                            scalr-eventbridge events show 5f8b1e6c-7f0a-4d6e-9d5c-0f2f6d1c2b3a")]
    Show(One),
}

#[derive(clap::Args)]
pub(super) struct List {
    /// So many at most.
    #[arg(long, value_name = "NUMBER", default_value_t = 20, allow_hyphen_values = true,
          value_parser = clap::value_parser!(u16).range(1..=1000))]
    limit: u16,
    /// Those of this AWS region alone; `AWS_REGION` chooses none here.
    #[arg(long, value_name = "REGION")]
    region: Option<String>,
    #[command(flatten)]
    form: Form,
    #[command(flatten)]
    endpoint: Endpoint,
}

#[derive(clap::Args)]
pub(super) struct One {
    /// The event's id at AWS, or the id of its run or audited request.
    id: String,
    #[command(flatten)]
    form: Form,
    #[command(flatten)]
    endpoint: Endpoint,
}

/// An event as it is listed.
#[derive(Serialize)]
struct Row {
    id: String,
    accepted: String,
    detail_type: String,
    /// The id of its run or audited request.
    subject: String,
    region: String,
    bus: Option<String>,
    outcome: Outcome,
}

impl From<&Story> for Row {
    fn from(story: &Story) -> Self {
        Self {
            id: story.id.clone(),
            accepted: story.accepted.clone(),
            detail_type: story.text("/detail-type").to_owned(),
            subject: story.subject().to_owned(),
            region: story.text("/region").to_owned(),
            bus: story.buses.first().map(|bus| bus.name.clone()),
            outcome: story.outcome(),
        }
    }
}

/// An event with its outcome.
#[derive(Serialize)]
struct Shown {
    outcome: Outcome,
    #[serde(flatten)]
    story: Story,
}

pub(super) async fn main(what: What) -> anyhow::Result<()> {
    match what {
        What::List(args) => list(&args).await,
        What::Show(args) => show_one(&args).await,
    }
}

async fn list(args: &List) -> anyhow::Result<()> {
    let local = LocalAws::at(&args.endpoint, EVENTS).await?;
    if let Some(region) = &args.region {
        given::region_form(region, "`--region`")?;
    }
    let reading = latest(&local, args.limit.into(), args.region.as_deref());
    let stories = progress::during("reading the events", reading).await?;
    let rows: Vec<Row> = stories.iter().map(Row::from).collect();
    args.form.print(&rows, || {
        if rows.is_empty() {
            return nothing(args.region.as_deref());
        }
        let cells = |row: &Row| -> [Cell; 5] {
            [
                row.accepted.as_str().into(),
                row.detail_type.as_str().into(),
                row.subject.as_str().into(),
                Cell::new(row.outcome.look(), row.outcome.text()),
                row.id.as_str().into(),
            ]
        };
        let rows: Vec<_> = rows.iter().map(cells).collect();
        show::table(["ACCEPTED", "TYPE", "SUBJECT", "OUTCOME", "ID"], &rows)
    })
}

/// That no event is listed.
fn nothing(region: Option<&str>) -> String {
    match region {
        None => "There are no events. `scalr-eventbridge run WORKSPACE` causes one.".to_owned(),
        Some(region) => format!(
            "None of the latest {SEARCHED_MAX} events is of {region}; `scalr-eventbridge events list` lists those of all regions."
        ),
    }
}

/// The latest events, newest first; of one region, those among the latest that are looked through.
async fn latest(local: &LocalAws, limit: usize, region: Option<&str>) -> anyhow::Result<Vec<Story>> {
    let is_wanted = |story: &Story| region.is_none_or(|region| story.is_in(region));
    let ids = local
        .latest(if region.is_some() { SEARCHED_MAX } else { limit })
        .await?;
    let mut read = futures::stream::iter(&ids)
        .map(|id| local.story(id))
        .buffered(AT_ONCE);
    let mut stories = Vec::new();
    while stories.len() < limit
        && let Some(story) = read.try_next().await?
    {
        stories.extend(story.filter(is_wanted));
    }
    Ok(stories)
}

/// The latest event that is wanted, among so many.
pub(super) async fn find(
    local: &LocalAws,
    among: usize,
    is_wanted: impl Fn(&Story) -> bool,
) -> anyhow::Result<Option<Story>> {
    let ids = local.latest(among).await?;
    let mut stories = futures::stream::iter(&ids)
        .map(|id| local.story(id))
        .buffered(AT_ONCE);
    while let Some(story) = stories.try_next().await? {
        if let Some(story) = story.filter(|story| is_wanted(story)) {
            return Ok(Some(story));
        }
    }
    Ok(None)
}

async fn show_one(args: &One) -> anyhow::Result<()> {
    let local = LocalAws::at(&args.endpoint, EVENTS).await?;
    let find = async {
        match local.story(&args.id).await? {
            Some(story) => Ok(Some(story)),
            None => find(&local, SEARCHED_MAX, |story| story.subject() == args.id).await,
        }
    };
    let Some(story) = progress::during("looking for the event", find).await? else {
        bail!(
            "the local AWS has no event `{}`, and none of the latest {SEARCHED_MAX} is of a run or request of this id: it was not sent, or \
             it is held (`scalr-eventbridge deliveries list`), or it is too long ago",
            args.id.escape_debug()
        );
    };
    let human = human(&story);
    let outcome = story.outcome();
    args.form.print(&Shown { outcome, story }, || human)
}

/// A story for people.
pub(super) fn human(story: &Story) -> String {
    let outcome = story.outcome();
    let mut lines = vec![show::fields(&[
        ("id", story.id.as_str().into()),
        ("type", story.text("/detail-type").into()),
        ("subject", story.subject().into()),
        ("accepted", story.accepted.as_str().into()),
        ("outcome", Cell::new(outcome.look(), outcome.text())),
    ])];
    lines.extend(
        story
            .reason
            .as_deref()
            .map(|why| format!("  {}", Look::Bad.paint(why))),
    );
    // The rule that AWS manages to feed a custom event bus is not listed.
    let onward = story.buses.iter().any(Bus::is_custom);
    for bus in &story.buses {
        lines.push(format!("\nbus {}", show::escaped(&bus.name)));
        if bus.rules.is_empty() && bus.deliveries.is_empty() && (bus.is_custom() || !onward) {
            let none = if bus.is_custom() {
                "subscriber"
            } else {
                "enabled rule"
            };
            lines.push(format!("  it has no {none}"));
        }
        lines.extend(bus.rules.iter().map(|one| rule(one, bus.taker())));
        lines.extend(bus.deliveries.iter().map(|one| delivery(one, bus)));
    }
    lines.join("\n")
}

fn rule(rule: &Rule, taker: &str) -> String {
    let name = show::escaped(&rule.name);
    if rule.matched {
        return format!("  {taker} {name}: {}", Look::Good.paint("matched"));
    }
    let mut text = format!("  {taker} {name}: {}", Look::Bad.paint("missed"));
    if let Some(reason) = &rule.reason {
        text.extend(["\n    ", &show::escaped(reason)]);
    }
    for missed in &rule.missed {
        text.extend(["\n    ", &leaf(missed)]);
    }
    text
}

fn leaf(leaf: &Leaf) -> String {
    let leaf = event_pattern::Leaf {
        alternative: 0,
        path: leaf.path.clone(),
        expected: leaf.expected.clone(),
        matched: false,
        found: leaf.found.clone(),
        nearest: leaf.nearest.clone(),
    };
    show::escaped(&scalr_events::leaf_in_words(&leaf, None))
}

fn delivery(delivery: &Delivery, bus: &Bus) -> String {
    let look = match delivery.outcome.as_str() {
        "delivered" => Look::Good,
        "waiting" => Look::Doubtful,
        _ => Look::Bad,
    };
    // A subscriber has one target, without an id of its own.
    let of = format!("of {} {}", bus.taker(), show::escaped(&delivery.rule));
    let target = if bus.is_custom() {
        of
    } else {
        format!("{} {of}", show::escaped(&delivery.target_id))
    };
    let mut text = format!(
        "  target {target}: {} ({})",
        look.paint(&delivery.outcome),
        show::escaped(&delivery.target_arn),
    );
    for attempt in &delivery.attempts {
        let result = match (&attempt.error_code, &attempt.error_message) {
            (None, _) => "accepted".to_owned(),
            (Some(code), None) => code.clone(),
            (Some(code), Some(message)) => format!("{code}: {message}"),
        };
        text.extend([
            "\n    ",
            &show::escaped(&attempt.at),
            " ",
            &show::escaped(&result),
        ]);
    }
    if let Some(queue) = &delivery.dead_letter {
        text.extend(["\n    dead letter: ", &show::escaped(queue)]);
    }
    text
}
