// What a student's Rust program does: threads, channels, collections, panics, files, pipes, processes.
use std::collections::{BTreeMap, HashMap};
use std::io::{Read, Write};
use std::process::{Command, Stdio};
use std::sync::{mpsc, Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

fn threads() {
    let counts = Arc::new(Mutex::new(HashMap::new()));
    let (sender, receiver) = mpsc::channel();
    let workers: Vec<_> = (0..4u64)
        .map(|number| {
            let (counts, sender) = (counts.clone(), sender.clone());
            thread::spawn(move || {
                for key in 0..1000u64 {
                    *counts.lock().unwrap().entry(key % 97).or_insert(0) += key * number;
                }
                sender.send(number).unwrap();
            })
        })
        .collect();
    drop(sender);
    for worker in workers {
        worker.join().unwrap();
    }
    let mut finished: Vec<u64> = receiver.iter().collect();
    finished.sort();
    let sorted: BTreeMap<u64, u64> = counts.lock().unwrap().iter().map(|(k, v)| (*k, *v)).collect();
    println!("{:?} {:?}", finished, sorted.iter().take(4).collect::<Vec<_>>());
}

fn memory() {
    let squares: Vec<u64> = (0..2_000_000).map(|x| x * x).collect();
    println!("{}", squares.iter().fold(0u64, |sum, x| sum.wrapping_add(*x)));
    let boxes: Vec<Box<[u8; 5000]>> = (0..500).map(|i| Box::new([i as u8; 5000])).collect();
    println!("{}", boxes.iter().map(|b| b[4999] as u64).sum::<u64>());
}

fn panics() {
    std::panic::set_hook(Box::new(|_| println!("a panic")));
    let caught = std::panic::catch_unwind(|| {
        let empty: Vec<i32> = Vec::new();
        empty[std::env::args().count()]
    });
    println!("caught: {}", caught.is_err());
    println!("joined: {}", thread::spawn(|| panic!("in a thread")).join().is_err());
}

fn files() {
    std::fs::write("/tmp/lines", "one\ntwo\n").unwrap();
    println!("{:?}", std::fs::read_to_string("/tmp/lines").unwrap().lines().collect::<Vec<_>>());
    std::fs::remove_file("/tmp/lines").unwrap();
    println!("{:?}", std::fs::read("/tmp/lines").err().map(|error| error.kind()));
}

fn processes() {
    let program = std::env::args().next().unwrap();
    let mut child = Command::new(&program).arg("child").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"to the child").unwrap();
    let output = child.wait_with_output().unwrap();
    println!("{:?} {:?}", String::from_utf8(output.stdout), output.status.code());
    println!("{:?}", Command::new("/nonexistent").spawn().err().map(|error| error.kind()));
}

fn main() {
    if std::env::args().count() > 1 {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text).unwrap();
        print!("{}", text.to_uppercase());
        std::process::exit(5);
    }
    threads();
    memory();
    panics();
    files();
    processes();
    let began = Instant::now();
    thread::sleep(Duration::from_millis(3));
    println!("slept at least 3 ms: {}", began.elapsed() >= Duration::from_millis(3));
    println!("processors: {}", thread::available_parallelism().unwrap());
}
