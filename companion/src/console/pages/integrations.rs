//! Integrations: the list of connections, and the form of a new one, checked field by field.

use askama::Template;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use scalr_api::{ConnectionInput, Status};
use serde::Deserialize;

use super::Opened;
use crate::api::ApiError;
use crate::api::connections::{Field, check_field, make};
use crate::console::answer::{Failure, Frame, html, on_to};
use crate::console::links;
use crate::console::reads::{Fields, Signed};
use crate::console::state::Console;
use crate::console::terraform::Hcl;
use crate::console::text::Shown;
use crate::routes::Routes;
use crate::store::{Connection, Window};

/// Connections on a page.
const PAGE: u32 = 50;

pub(super) fn routes() -> Routes<Console> {
    Routes::new()
        .get("/integrations", list)
        .get("/integrations/new", open)
        .post("/integrations/new", create)
        .get("/integrations/new/check", check)
        .post("/integrations/new/terraform", preview)
}

#[derive(Template)]
#[template(path = "console/integrations.html")]
struct ListPage {
    frame: Frame,
    rows: Vec<Row>,
    total: u64,
    previous: Option<String>,
    following: Option<String>,
    hcl: Hcl,
}

struct Row {
    link: String,
    name: Shown,
    status: String,
    account: Shown,
    region: Shown,
    next: &'static str,
}

fn row(connection: Connection) -> Row {
    Row {
        link: links::connection(connection.id.as_str()),
        next: match connection.status {
            Status::Active => "none: events are streamed",
            Status::Pending => "open it: the event source waits for an event bus",
            Status::Disabled => "resume it: events are held",
            Status::Failed => "open it: it says what failed",
            Status::Other(_) => "open it",
        },
        name: Shown::new(connection.name),
        status: connection.status.in_words().to_owned(),
        account: Shown::new(connection.source.aws_account_id),
        region: Shown::new(connection.source.region),
    }
}

async fn list(
    State(console): State<Console>,
    signed: Signed,
    Query(opened): Query<Opened>,
) -> Result<Response, Failure> {
    let page = opened.page.unwrap_or(1).max(1);
    let window = Window {
        limit: PAGE.into(),
        offset: i64::from(page - 1) * i64::from(PAGE),
    };
    let store = &console.app().store;
    let found = store
        .connections(&signed.caller.account_id, [None], window)
        .await?;
    let link = |page: u32| links::with(links::INTEGRATIONS, &[("page", &page.to_string())]);
    let has_more = u64::from(page) * u64::from(PAGE) < found.total;
    Ok(html(&ListPage {
        frame: Frame::new(&console, "integrations", None).after(opened.done.as_deref()),
        hcl: Hcl::of_connections(&found.items),
        rows: found.items.into_iter().map(row).collect(),
        total: found.total,
        previous: (page > 1).then(|| link(page - 1)),
        following: has_more.then(|| link(page.saturating_add(1))),
    }))
}

#[derive(Template)]
#[template(path = "console/new_connection.html")]
struct NewPage {
    frame: Frame,
    fields: [Input; 3],
    problem: Option<Shown>,
    hcl: Hcl,
}

struct Input {
    name: &'static str,
    label: &'static str,
    hint: &'static str,
    value: String,
    problem: Option<Shown>,
}

#[derive(Clone, Default, Deserialize)]
#[serde(default)]
struct Form {
    name: String,
    account: String,
    region: String,
}

impl Form {
    fn page(&self, console: &Console, error: Option<&ApiError>) -> Response {
        let object = error.map(ApiError::object);
        let detail = object.as_ref().and_then(|object| object.detail.clone());
        let pointer = object.and_then(|object| object.source?.pointer);
        let at = |field: Field| {
            let is_here = pointer.as_deref() == Some(&format!("/data/attributes/{}", field.attribute()));
            detail.as_ref().filter(|_| is_here).map(Shown::new)
        };
        let input = |field, name, label, hint, value: &String| Input {
            name,
            label,
            hint,
            value: value.clone(),
            problem: at(field),
        };
        let fields = [
            input(
                Field::Name,
                "name",
                "Connection name",
                "Letters, digits, dots, hyphens and underscores. It ends the name of the event source.",
                &self.name,
            ),
            input(
                Field::AwsAccountId,
                "account",
                "AWS account ID",
                "12 digits.",
                &self.account,
            ),
            input(
                Field::Region,
                "region",
                "AWS region",
                "Such as us-east-1. Account and region together are unique.",
                &self.region,
            ),
        ];
        let is_at_a_field = fields.iter().any(|field| field.problem.is_some());
        let page = NewPage {
            frame: Frame::new(console, "integrations", None),
            problem: detail.map(Shown::new).filter(|_| !is_at_a_field),
            fields,
            hcl: Hcl::of_new_connection(&self.name, &self.account, &self.region),
        };
        let status = error.map_or(StatusCode::OK, |_| StatusCode::UNPROCESSABLE_ENTITY);
        (status, html(&page)).into_response()
    }

    /// What is wrong with a field as it stands, beside the others.
    async fn problem(
        &self,
        console: &Console,
        signed: &Signed,
        field: Field,
    ) -> Result<Option<String>, Failure> {
        let value = match field {
            Field::Name => &self.name,
            Field::AwsAccountId => &self.account,
            Field::Region => &self.region,
        };
        if let Err(error) = check_field(&signed.caller, field, Some(value)) {
            return Ok(error.object().detail);
        }
        let all = console.connections(signed).await?;
        let here = all.iter().filter(|one| one.source.region == self.region);
        Ok(match field {
            Field::Name => here
                .filter(|one| one.name == self.name)
                .map(|_| format!("This account has a connection named `{}` in {}.", self.name, self.region))
                .next(),
            Field::AwsAccountId | Field::Region => here
                .filter(|one| one.source.aws_account_id == self.account)
                .map(|one| {
                    let (account, region) = (&self.account, &self.region);
                    format!("The connection `{}` is to AWS account {account} in {region} already; there can be one only.", one.name)
                })
                .next(),
        })
    }
}

async fn open(State(console): State<Console>, _signed: Signed) -> Response {
    let aws = console.local_aws();
    let form = Form {
        name: String::new(),
        account: aws.map(|aws| aws.account.clone()).unwrap_or_default(),
        region: aws.map(|aws| aws.region.clone()).unwrap_or_default(),
    };
    form.page(&console, None)
}

#[derive(Deserialize)]
struct Which {
    field: String,
}

/// The check of one field, while the form is filled in.
async fn check(
    State(console): State<Console>,
    signed: Signed,
    Query(which): Query<Which>,
    Query(form): Query<Form>,
) -> Result<Response, Failure> {
    let field = match which.field.as_str() {
        "name" => Field::Name,
        "account" => Field::AwsAccountId,
        "region" => Field::Region,
        _ => return Err(Failure::NoPage),
    };
    let problem = form.problem(&console, &signed, field).await?;
    Ok(html(&Problem {
        text: Shown::new(problem.unwrap_or_default()),
    }))
}

#[derive(Template)]
#[template(source = "{{ text }}", ext = "html")]
struct Problem {
    text: Shown,
}

/// The form as HCL, while it is filled in.
async fn preview(_signed: Signed, Fields(form): Fields<Form>) -> Response {
    let hcl = Hcl::of_new_connection(&form.name, &form.account, &form.region);
    hcl.plain()
}

async fn create(
    State(console): State<Console>,
    signed: Signed,
    Fields(form): Fields<Form>,
) -> Result<Response, Failure> {
    let input = ConnectionInput {
        name: Some(form.name.trim().to_owned()),
        aws_account_id: Some(form.account.trim().to_owned()),
        region: Some(form.region.trim().to_owned()),
        ..ConnectionInput::default()
    };
    match make(console.app().clone(), signed.may()?, &input).await {
        Ok(made) => Ok(on_to(&links::connection(made.id.as_str()), "created")),
        Err(error @ (ApiError::Invalid { .. } | ApiError::Conflict { .. })) => {
            Ok(form.page(&console, Some(&error)))
        }
        Err(error) => Err(error.into()),
    }
}
