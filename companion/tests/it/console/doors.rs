//! Who is let into the console, and what every answer carries.

use reqwest::header::{CONTENT_ENCODING, LOCATION, SET_COOKIE};
use reqwest::{Client, redirect};
use serde_json::Value;
use tokio::process::Command;

use super::visitor::{AWS, Visitor, cookie, read, shows};
use crate::aws::Aws;
use crate::companion::{Companion, PROGRAM, dev};
use crate::serve;

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_let_in_without_a_session() {
    let c = Companion::spawn(dev()).await;
    let stranger = Visitor::stranger(&c);
    for path in [
        "/console/",
        "/console/integrations",
        "/console/integrations/new",
        "/console/integrations/in-1",
        "/console/integrations/in-1/chain",
        "/console/settings/audit-logs",
        "/console/aws",
        &format!("{AWS}/sources"),
        &format!("{AWS}/bus?name=default"),
        &format!("{AWS}/rules/new?bus=default"),
        &format!("{AWS}/log-group?name=x"),
    ] {
        let answer = stranger.get(path).await;
        let to = answer.headers().get(LOCATION).map(|to| to.to_str().unwrap());
        let to_sign_in = to == Some("/console/sign-in") || to == Some("/console/integrations");
        assert!(answer.status() == 303 && to_sign_in, "{path}: {answer:?}");
    }
    let stream = stranger.get("/console/integrations/in-1/stream").await;
    assert_eq!(stream.status(), 401);
    for path in ["/console/integrations/new", "/console/settings/audit-logs"] {
        let fields = [("name", "x"), ("connection", "")];
        let answer = stranger.send(path, &fields).await;
        assert_eq!(answer.headers()[LOCATION], "/console/sign-in", "{path}");
    }
    // The console has no way into the API, and its session is none there.
    let v = Visitor::of(&c).await;
    assert_eq!(v.get("/api/iacp/v3/workspaces").await.status(), 401);
    assert_eq!(v.get("/console/nothing").await.status(), 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_has_a_guarded_cookie_and_ends_with_sign_out() {
    let c = Companion::spawn(dev()).await;
    let stranger = Visitor::stranger(&c);
    let token = c.text("/scalr/token");
    let answer = stranger.send("/console/sign-in", &[("token", token)]).await;
    let set = answer.headers()[SET_COOKIE].to_str().unwrap().to_owned();
    for part in ["HttpOnly", "SameSite=Strict", "Path=/console", "Max-Age=43200"] {
        assert!(set.contains(part), "{set}");
    }
    assert!(!set.contains(token) && !set.contains("Secure"), "{set}");
    let (one, two) = (Visitor::of(&c).await, Visitor::of(&c).await);
    let out = one.send("/console/sign-out", &[]).await;
    assert!(out.headers()[SET_COOKIE].to_str().unwrap().contains("Max-Age=0"));
    assert_eq!(one.get("/console/integrations").await.status(), 303);
    assert_eq!(two.get("/console/integrations").await.status(), 200);
    two.send("/console/sign-out-everywhere", &[]).await;
    assert_eq!(two.get("/console/integrations").await.status(), 303);
    for wrong in 0..10 {
        let answer = stranger.send("/console/sign-in", &[("token", "wrong")]).await;
        assert_eq!(answer.status(), 403, "{wrong}");
    }
    let answer = stranger.send("/console/sign-in", &[("token", token)]).await;
    assert_eq!(answer.status(), 429);
    assert!(answer.headers().contains_key("retry-after"));
}

#[tokio::test(flavor = "multi_thread")]
async fn writes_come_from_the_consoles_own_pages() {
    let c = Companion::spawn(dev()).await;
    let v = Visitor::of(&c).await;
    let port = v.base.rsplit(':').next().unwrap().to_owned();
    for (origin, host, ok) in [
        (Some(v.base.clone()), None, true),
        (None, None, false),
        (Some("http://127.0.0.1:1".to_owned()), None, false),
        (Some("null".to_owned()), None, false),
        (
            Some("http://evil.example".to_owned()),
            Some("evil.example".to_owned()),
            false,
        ),
        (
            Some(format!("http://localhost:{port}")),
            Some(format!("localhost:{port}")),
            true,
        ),
    ] {
        let case = format!("{origin:?} {host:?}");
        let mut call = v.http.post(format!("{}/console/settings/audit-logs", v.base));
        call = call.header("cookie", &v.cookie).body("connection=");
        if let Some(origin) = origin {
            call = call.header("origin", origin);
        }
        if let Some(host) = host {
            call = call.header("host", host);
        }
        let status = call.send().await.unwrap().status();
        assert_eq!(status == 303, ok, "{case}: {status}");
        assert!(ok || status == 403, "{case}: {status}");
    }
    let page = v.get("/console/integrations").await;
    let policy = page.headers()["content-security-policy"]
        .to_str()
        .unwrap()
        .to_owned();
    assert!(policy.starts_with("default-src 'none'; script-src 'self'") && !policy.contains("unsafe"));
    let text = page.text().await.unwrap();
    shows(&text, &[r#""allowEval":false"#]);
    for inline in [
        " style=",
        "<style",
        " onclick",
        "javascript:",
        "hx-on",
        "http://",
        "https://",
    ] {
        assert!(!text.contains(inline), "{inline} in\n{text}");
    }
    let cross = v.http.get(format!("{}/console/integrations/in-1/stream", v.base));
    let cross = cross
        .header("cookie", &v.cookie)
        .header("sec-fetch-site", "same-site");
    assert_eq!(cross.send().await.unwrap().status(), 403);
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_are_packed_and_small() {
    let c = Companion::spawn(dev()).await;
    let v = Visitor::of(&c).await;
    let mut bytes = 0;
    let page = v.page("/console/integrations").await;
    let loads = page.match_indices("/console/assets/").map(|(at, _)| {
        let rest = &page[at..];
        rest[..rest.find('"').unwrap()].to_owned()
    });
    for path in std::iter::once("/console/integrations".to_owned()).chain(loads) {
        let call = v
            .http
            .get(format!("{}{path}", v.base))
            .header("cookie", &v.cookie);
        let answer = call.header("accept-encoding", "gzip").send().await.unwrap();
        assert_eq!(answer.status(), 200, "{path}");
        assert_eq!(answer.headers()[CONTENT_ENCODING], "gzip", "{path}");
        bytes += answer.bytes().await.unwrap().len();
    }
    assert!(bytes <= 100 * 1024, "{bytes} bytes over the wire");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_printed_link_signs_in_once_and_the_console_can_be_off() {
    let mut command = Command::new(PROGRAM);
    let mut child = command
        .arg("dev")
        .stdout(std::process::Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = crate::process::lines(&mut child);
    let link = loop {
        let line = lines.next_line().await.unwrap().expect("the link is printed");
        if let Some(link) = line.strip_prefix("Console ") {
            break link.to_owned();
        }
    };
    let http = Client::builder()
        .redirect(redirect::Policy::none())
        .build()
        .unwrap();
    let ahead = http
        .get(&link)
        .header("sec-purpose", "prefetch")
        .send()
        .await
        .unwrap();
    assert_eq!(
        ahead.status(),
        503,
        "what a browser fetches ahead uses no code up"
    );
    let first = http.get(&link).send().await.unwrap();
    assert_eq!(first.headers()[LOCATION], "/console/integrations");
    assert!(cookie(first.headers()).len() > 64);
    let (status, again) = read(http.get(&link).send().await.unwrap()).await;
    assert_eq!(status, 403);
    shows(&again, &["This link has been used"]);

    let mut off = dev();
    off.arg("--no-console");
    let c = Companion::spawn(off).await;
    assert_eq!(c.line["console"]["url"], Value::Null);
    let answer = Visitor::stranger(&c).get("/console/sign-in").await;
    assert_eq!(answer.status(), 401, "the API's answer to whoever has no token");
}

/// A service behind a proxy with TLS, which speaks http with it and calls it by its own address: browsers are at the public one.
#[tokio::test(flavor = "multi_thread")]
async fn a_service_behind_a_proxy_shows_each_account_its_own() {
    const PUBLIC: &str = "https://events.example.com";
    let (aws, dir) = (Aws::start().await, tempfile::tempdir().unwrap());
    let more = ["--console-url", PUBLIC, "--console-host", "other.example"];
    let (mut c, operator) = serve::start(dir.path(), &aws.proxy.endpoint, &more).await;
    let operator = operator.expect("the first start prints a token");
    let tokens = [
        serve::account(&c, &operator, "acme").await,
        serve::account(&c, &operator, "other").await,
    ];
    serve::show(&mut c, &tokens[0]);
    let id = c.connect("prod", "us-east-1").await;
    let stranger = Visitor::stranger(&c);
    let sign_in = async |token: &str, origin: &str, host: Option<&str>| {
        let call = stranger.http.post(format!("{}/console/sign-in", stranger.base));
        let mut call = call.header("origin", origin).body(format!("token={token}"));
        if let Some(host) = host {
            call = call.header("host", host);
        }
        call.send().await.unwrap()
    };
    for (token, own) in [(&tokens[0], true), (&tokens[1], false)] {
        for host in [None, Some("events.example.com")] {
            let answer = sign_in(token, PUBLIC, host).await;
            assert_eq!(answer.status(), 303, "{host:?}");
            let set = answer.headers()[SET_COOKIE].to_str().unwrap();
            assert!(set.contains("; Secure"), "{set}");
            let v = Visitor {
                cookie: cookie(answer.headers()),
                ..Visitor::stranger(&c)
            };
            assert_eq!(v.page("/console/integrations").await.contains(">prod<"), own);
            let path = format!("/console/integrations/{id}/deliveries");
            assert_eq!(v.get(&path).await.status(), if own { 200 } else { 404 });
        }
    }
    // On the machine itself there is no TLS, and a cookie that needs it would not come back.
    let direct = sign_in(&tokens[0], &stranger.base, None).await;
    assert!(!direct.headers()[SET_COOKIE].to_str().unwrap().contains("Secure"));
    assert_eq!(
        sign_in(&tokens[0], "https://evil.example", None).await.status(),
        403
    );
    assert_eq!(sign_in(&operator, PUBLIC, None).await.status(), 403);
    // Over http from another machine nobody signs in, and the page says why.
    let plain = sign_in(&tokens[0], "http://other.example", Some("other.example")).await;
    assert!(!plain.headers().contains_key(SET_COOKIE));
    let (status, page) = read(plain).await;
    assert_eq!(status, 403);
    shows(&page, &["came over http from another machine", "--console-url"]);
}
