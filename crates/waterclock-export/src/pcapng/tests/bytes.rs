//! Blocks and packets as exact bytes.

use super::super::block::{File, Way};
use super::super::packet::{Flags, Segment, packet};

fn block(make: impl FnOnce(&mut File)) -> Vec<u8> {
    let mut file = File::default();
    make(&mut file);
    file.into_bytes()
}

/// Hexadecimal digits, with spaces between them as one likes.
fn hex(digits: &str) -> Vec<u8> {
    let digits: Vec<u32> = digits.chars().filter_map(|c| c.to_digit(16)).collect();
    digits.chunks(2).map(|pair| u8::try_from(pair[0] * 16 + pair[1]).unwrap()).collect()
}

#[test]
fn the_section_header() {
    let bytes = block(|file| file.section(&["hi".into(), "a b c".into()], "wc 1"));
    let expected = "0a0d0d0a 3c000000 4d3c2b1a 0100 0000 ffffffffffffffff \
                    0100 0200 68690000  0100 0500 6120622063000000 \
                    0400 0400 77632031  00000000 3c000000";
    assert_eq!(bytes, hex(expected));
}

#[test]
fn the_interface_counts_nanoseconds() {
    let bytes = block(|file| file.interface("s", "d"));
    let expected = "01000000 30000000 6500 0000 00000000 0200 0100 73000000 0300 0100 64000000 \
                    0900 0100 09000000 00000000 30000000";
    assert_eq!(bytes, hex(expected));
}

#[test]
fn names_of_addresses() {
    let bytes = block(|file| {
        file.names([("192.0.2.1".parse().unwrap(), "ab"), ("2001:db8::1".parse().unwrap(), "c")]);
    });
    let expected = "04000000 34000000 0100 0700 c0000201 616200 00 \
                    0200 1200 20010db8000000000000000000000001 6300 0000 00000000 34000000";
    assert_eq!(bytes, hex(expected));
}

#[test]
fn secrets_have_the_type_of_a_key_log() {
    let bytes = block(|file| file.keys("A 0 1\n"));
    assert_eq!(bytes, hex("0a000000 1c000000 4b534c54 06000000 4120302031 0a0000 1c000000"));
}

#[test]
fn a_packet_has_time_bytes_comment_and_direction() {
    let nanos = 0x0102_0304_0506_0708;
    let bytes = block(|file| file.packet(nanos, Way::In, b"\x45zzzz", &["물".into()]));
    let expected = "06000000 3c000000 00000000 04030201 08070605 05000000 05000000 \
                    457a7a7a 7a000000 0100 0300 ebacbc00 0200 0400 01000000 00000000 3c000000";
    assert_eq!(bytes, hex(expected));
}

#[test]
fn a_comment_that_is_too_long_for_an_option_is_cut() {
    let bytes = block(|file| file.section(&["x".repeat(70_000)], ""));
    assert_eq!(bytes[24..28], [1, 0, 0xff, 0xff]);
    assert_eq!(bytes.len() % 4, 0);
}

#[test]
fn a_segment_in_ipv4() {
    let segment = Segment { sequence: 1, acknowledges: 2, flags: Flags::DATA, bytes: b"hi!" };
    let from = "192.0.2.1:49153".parse().unwrap();
    let bytes = packet(from, "198.51.100.2:80".parse().unwrap(), segment);
    let expected = "4500002b 00004000 40064e96 c0000201 c6336402 \
                    c0010050 00000001 00000002 5018ffff 79d40000 686921";
    assert_eq!(bytes, hex(expected));
}

#[test]
fn a_syn_in_ipv6_has_options() {
    let segment = Segment { sequence: 9, acknowledges: 0, flags: Flags::SYN, bytes: b"" };
    let from = "[2001:db8::1]:1".parse().unwrap();
    let bytes = packet(from, "[2001:db8::2]:2".parse().unwrap(), segment);
    let expected = "60000000 001c 06 40 20010db8000000000000000000000001 \
                    20010db8000000000000000000000002 0001 0002 00000009 00000000 7002ffff 28910000 \
                    020405b4 01 03030e";
    assert_eq!(bytes, hex(expected));
}
