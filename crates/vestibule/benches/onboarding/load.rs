//! The load: connections that send prepared octets one after the other and count the answers.

use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Answers per second of the server at `url`.
pub(crate) async fn run(url: &str, requests: &[Vec<u8>], connections: usize, time: Duration) -> f64 {
    let address = url.trim_start_matches("http://");
    let end = Instant::now() + time;
    let tasks = (0..connections).map(|number| one_connection(address, requests, number * 16, end));
    let begun = Instant::now();
    let counts = join_all(tasks.collect()).await;
    counts.iter().sum::<u64>() as f64 / begun.elapsed().as_secs_f64()
}

/// Runs futures side by side on this thread.
async fn join_all<F: Future<Output = u64>>(futures: Vec<F>) -> Vec<u64> {
    let mut futures: Vec<_> = futures.into_iter().map(|future| (Box::pin(future), None)).collect();
    std::future::poll_fn(|context| {
        let mut all = true;
        for (future, result) in &mut futures {
            if result.is_none() {
                match future.as_mut().poll(context) {
                    std::task::Poll::Ready(count) => *result = Some(count),
                    std::task::Poll::Pending => all = false,
                }
            }
        }
        if all { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
    futures.into_iter().filter_map(|(_, result)| result).collect()
}

async fn one_connection(address: &str, requests: &[Vec<u8>], first: usize, end: Instant) -> u64 {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.set_nodelay(true).unwrap();
    let (mut count, mut buffer) = (0, Vec::with_capacity(4096));
    while Instant::now() < end {
        let request = &requests[(first + count as usize) % requests.len()];
        stream.write_all(request).await.unwrap();
        read_answer(&mut stream, &mut buffer).await;
        count += 1;
    }
    count
}

/// Reads one answer with a content-length; anything but 200 stops the benchmark.
async fn read_answer(stream: &mut TcpStream, buffer: &mut Vec<u8>) {
    buffer.clear();
    loop {
        assert!(stream.read_buf(buffer).await.unwrap() > 0, "the server closed the connection");
        let Some(head) = buffer.windows(4).position(|four| four == b"\r\n\r\n") else { continue };
        let text = std::str::from_utf8(&buffer[..head]).unwrap();
        assert!(text.starts_with("HTTP/1.1 200"), "{}", String::from_utf8_lossy(buffer));
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
