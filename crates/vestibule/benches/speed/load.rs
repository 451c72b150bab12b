//! The load: connections that send prepared octets one after the other and count the answers.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Requests that are sent in their order, over and over or each once.
pub(crate) struct Requests<'a> {
    all: &'a [Vec<u8>],
    next: AtomicUsize,
    each_once: bool,
}

impl<'a> Requests<'a> {
    /// Sent over and over.
    pub(crate) fn repeated(all: &'a [Vec<u8>]) -> Self {
        Self { all, next: AtomicUsize::new(0), each_once: false }
    }

    /// Each sent once.
    pub(crate) fn once(all: &'a [Vec<u8>]) -> Self {
        Self { all, next: AtomicUsize::new(0), each_once: true }
    }

    fn take(&self) -> Option<&'a [u8]> {
        let next = self.next.fetch_add(1, Ordering::Relaxed);
        if self.each_once && next >= self.all.len() {
            return None;
        }
        Some(&self.all[next % self.all.len()])
    }
}

/// Answers per second of the server at `url`, until the time is up or nothing is left to send.
pub(crate) async fn run(url: &str, requests: Requests<'_>, connections: usize, time: Duration) -> f64 {
    let streams = connect(url, connections).await;
    let begun = Instant::now();
    let end = begun + time;
    let tasks = streams.into_iter().map(|stream| one_connection(stream, &requests, end));
    let counts = join_all(tasks.collect()).await;
    counts.iter().sum::<u64>() as f64 / begun.elapsed().as_secs_f64()
}

/// The same with a connection for each request, which sends next what follows from the answer. The requests are left as
/// the ones to go on with.
pub(crate) async fn run_chains(
    url: &str,
    requests: &mut [Vec<u8>],
    follows: impl Fn(&[u8]) -> Vec<u8>,
    time: Duration,
) -> f64 {
    let streams = connect(url, requests.len()).await;
    let begun = Instant::now();
    let (end, follows) = (begun + time, &follows);
    let tasks = streams.into_iter().zip(requests).map(async |(mut stream, request)| {
        let (mut count, mut buffer) = (0, Vec::with_capacity(4096));
        while Instant::now() < end {
            stream.write_all(request).await.unwrap();
            read_answer(&mut stream, &mut buffer).await;
            *request = follows(&buffer);
            count += 1;
        }
        count
    });
    let counts = join_all(tasks.collect()).await;
    counts.iter().sum::<u64>() as f64 / begun.elapsed().as_secs_f64()
}

/// Connections to a server, or in turns to several whose addresses have a blank between them.
async fn connect(urls: &str, connections: usize) -> Vec<TcpStream> {
    let mut streams = Vec::new();
    for url in urls.split(' ').cycle().take(connections) {
        let stream = TcpStream::connect(url.trim_start_matches("http://")).await.unwrap();
        stream.set_nodelay(true).unwrap();
        streams.push(stream);
    }
    streams
}

/// Runs futures side by side on this thread.
async fn join_all<F: Future<Output = u64>>(futures: Vec<F>) -> Vec<u64> {
    let mut set = futures.into_iter().map(|future| (Box::pin(future), None)).collect::<Vec<_>>();
    let mut left = set.len();
    // Each future is woken for the whole task; polling all of them would cost more than the calls do, so those
    // that wait are asked through a waker of their own.
    let wakers: Vec<_> = (0..set.len()).map(|_| std::sync::Arc::new(Flag::default())).collect();
    std::future::poll_fn(|context| {
        for ((future, result), flag) in set.iter_mut().zip(&wakers) {
            if result.is_some() || !flag.take(context.waker()) {
                continue;
            }
            let waker = std::task::Waker::from(std::sync::Arc::clone(flag));
            if let std::task::Poll::Ready(count) =
                future.as_mut().poll(&mut std::task::Context::from_waker(&waker))
            {
                *result = Some(count);
                left -= 1;
            }
        }
        if left == 0 { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
    set.into_iter().filter_map(|(_, result)| result).collect()
}

/// Whether one future wants to be polled.
#[derive(Default)]
struct Flag {
    asleep: std::sync::atomic::AtomicBool,
    outer: std::sync::Mutex<Option<std::task::Waker>>,
}

impl Flag {
    fn take(&self, outer: &std::task::Waker) -> bool {
        let mut kept = self.outer.lock().unwrap();
        if kept.is_none() {
            *kept = Some(outer.clone());
        }
        !self.asleep.swap(true, Ordering::AcqRel)
    }
}

impl std::task::Wake for Flag {
    fn wake(self: std::sync::Arc<Self>) {
        self.asleep.store(false, Ordering::Release);
        if let Some(outer) = self.outer.lock().unwrap().as_ref() {
            outer.wake_by_ref();
        }
    }
}

async fn one_connection(mut stream: TcpStream, requests: &Requests<'_>, end: Instant) -> u64 {
    let (mut count, mut buffer) = (0, Vec::with_capacity(4096));
    while Instant::now() < end
        && let Some(request) = requests.take()
    {
        stream.write_all(request).await.unwrap();
        read_answer(&mut stream, &mut buffer).await;
        count += 1;
    }
    count
}

/// Reads one answer with a content-length; anything but success stops the benchmark.
async fn read_answer(stream: &mut TcpStream, buffer: &mut Vec<u8>) {
    buffer.clear();
    loop {
        assert!(stream.read_buf(buffer).await.unwrap() > 0, "the server closed the connection");
        let Some(head) = buffer.windows(4).position(|four| four == b"\r\n\r\n") else { continue };
        let text = std::str::from_utf8(&buffer[..head]).unwrap();
        assert!(text.starts_with("HTTP/1.1 20"), "{}", String::from_utf8_lossy(buffer));
        let length: usize = text
            .lines()
            .find_map(|line| line.strip_prefix("content-length: "))
            .and_then(|length| length.parse().ok())
            .unwrap();
        if buffer.len() >= head + 4 + length {
            return;
        }
    }
}
