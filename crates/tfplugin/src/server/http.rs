//! One client's connection: HTTP/2, and the way from a path to its service.

use std::convert::Infallible;

use http::{Request, Response};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tonic::body::Body;

use super::services::Services;
use crate::log;

/// Flow-control windows: large messages need few round trips.
const WINDOW: u32 = 4 << 20;

/// Serves a client until it hangs up, or has asked for shutdown.
pub(super) async fn serve(stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static, services: Services) {
    let shutdown = services.shutdown();
    let service = service_fn(move |request| route(services.clone(), request));
    let served = hyper::server::conn::http2::Builder::new(TokioExecutor::new())
        .timer(TokioTimer::new())
        .initial_stream_window_size(WINDOW)
        .initial_connection_window_size(WINDOW)
        .max_concurrent_streams(1024)
        .serve_connection(TokioIo::new(stream), service);
    let mut served = std::pin::pin!(served);
    let ended = tokio::select! {
        ended = &mut served => ended,
        () = shutdown.cancelled() => {
            // Calls under way, Shutdown itself among them, are answered yet.
            served.as_mut().graceful_shutdown();
            served.await
        }
    };
    if let Err(error) = ended {
        log::protocol(
            log::Level::Debug,
            "A connection ended early",
            &[("error", &error.to_string())],
        );
    }
}

async fn route(mut services: Services, request: Request<Incoming>) -> Result<Response<Body>, Infallible> {
    use tonic::codegen::Service as _;
    let service = request
        .uri()
        .path()
        .split('/')
        .nth(1)
        .unwrap_or_default()
        .to_owned();
    let request = request.map(Body::new);
    match service.as_str() {
        "tfplugin6.Provider" => services.provider.call(request).await,
        "plugin.GRPCController" => services.controller.call(request).await,
        "plugin.GRPCBroker" => services.broker.call(request).await,
        "plugin.GRPCStdio" => services.stdio.call(request).await,
        "grpc.health.v1.Health" => services.health.call(request).await,
        _ => Ok(tonic::Status::unimplemented("no such service").into_http()),
    }
}
