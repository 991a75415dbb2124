//! A person in a browser that runs no scripts, for the tests of the console.

use reqwest::header::{HeaderMap, LOCATION, SET_COOKIE};
use reqwest::{Client, Response, redirect};

use crate::companion::Companion;

pub(crate) const GROUP: &str = "/aws/events/scalr";
pub(crate) const AWS: &str = "/console/aws/123456789012/us-east-1";
pub(crate) const BUS: &str = "aws.partner%2Fscalr.com%2Flocal%2Fprod";

/// A person in a browser that runs no scripts.
pub(crate) struct Visitor {
    pub(crate) http: Client,
    pub(crate) base: String,
    pub(crate) cookie: String,
}

/// A page: its status and its text.
pub(crate) type Page = (u16, String);

impl Visitor {
    /// Nobody yet.
    pub(crate) fn stranger(companion: &Companion) -> Self {
        Self {
            http: Client::builder()
                .redirect(redirect::Policy::none())
                .build()
                .unwrap(),
            base: companion.text("/scalr/hostname").to_owned(),
            cookie: String::new(),
        }
    }

    /// Signs in with the token.
    pub(crate) async fn of(companion: &Companion) -> Self {
        let mut visitor = Self::stranger(companion);
        let token = companion.text("/scalr/token");
        let answer = visitor.send("/console/sign-in", &[("token", token)]).await;
        assert_eq!(answer.status(), 303);
        visitor.cookie = cookie(answer.headers());
        visitor
    }

    pub(crate) async fn get(&self, path: &str) -> Response {
        let call = self.http.get(format!("{}{path}", self.base));
        call.header("cookie", &self.cookie).send().await.unwrap()
    }

    /// A page that is there.
    pub(crate) async fn page(&self, path: &str) -> String {
        let (status, text) = read(self.get(path).await).await;
        assert_eq!(status, 200, "{path}: {text}");
        text
    }

    /// Sends a form, as a page of the console does.
    pub(crate) async fn send(&self, path: &str, fields: &[(&str, &str)]) -> Response {
        let call = self.http.post(format!("{}{path}", self.base));
        let body = serde_urlencoded::to_string(fields).unwrap();
        call.header("cookie", &self.cookie)
            .header("origin", &self.base)
            .header("content-type", "application/x-www-form-urlencoded")
            .body(body)
            .send()
            .await
            .unwrap()
    }

    /// Sends a form, and loads the page that it leads to.
    pub(crate) async fn step(&self, path: &str, fields: &[(&str, &str)]) -> String {
        let answer = self.send(path, fields).await;
        let status = answer.status();
        let Some(to) = answer.headers().get(LOCATION) else {
            panic!("{path} leads nowhere: {status} {}", answer.text().await.unwrap());
        };
        let to = to.to_str().unwrap().to_owned();
        self.page(&to).await
    }

    /// Makes the connection `prod`; returns its page.
    pub(crate) async fn connect(&self) -> String {
        let fields = [
            ("name", "prod"),
            ("account", "123456789012"),
            ("region", "us-east-1"),
        ];
        let answer = self.send("/console/integrations/new", &fields).await;
        let to = answer.headers()[LOCATION].to_str().unwrap();
        to.split('?').next().unwrap().to_owned()
    }

    /// Creates a rule on the bus of `prod`, with these fields in place of the usual ones.
    pub(crate) async fn create_rule(&self, with: &[(&str, &str)]) -> Response {
        let pattern = r#"{"source":[{"prefix":"aws.partner/scalr.com"}],"detail-type":["RunExecuted"]}"#;
        let mut fields = vec![
            ("step", "5"),
            ("go", "create"),
            ("name", "runs"),
            ("description", ""),
            ("sample", "{}"),
            ("pattern", pattern),
            ("group", GROUP),
            ("tags", ""),
        ];
        for (name, value) in with {
            fields.retain(|(known, _)| known != name);
            fields.push((name, value));
        }
        self.send(&format!("{AWS}/rules/new?bus={BUS}"), &fields).await
    }
}

pub(crate) async fn read(answer: Response) -> Page {
    (answer.status().as_u16(), answer.text().await.unwrap())
}

pub(crate) fn cookie(headers: &HeaderMap) -> String {
    let set = headers[SET_COOKIE].to_str().unwrap();
    set.split(';').next().unwrap().to_owned()
}

#[track_caller]
pub(crate) fn shows(page: &str, parts: &[&str]) {
    for part in parts {
        assert!(page.contains(part), "no `{part}` in\n{page}");
    }
}
