//! What each coding accepts and refuses.

use super::*;

#[test]
fn every_coding_decodes() {
    for (header, body) in coded(&text()) {
        assert_eq!(decode(header, &body).unwrap(), text(), "{header}");
    }
    assert_eq!(decode("br", &unhex(BR_TEXT)).unwrap(), text());
    assert_eq!(decode("x-gzip", &gzip(&text())).unwrap(), text());
}

#[test]
fn nothing_coded_is_nothing() {
    for (header, body) in coded(b"") {
        assert_eq!(decode(header, &body).unwrap(), b"", "{header}");
    }
}

/// Answers to HEAD, and 204 and 304, keep the header and have no body.
#[test]
fn a_body_of_no_bytes_is_fine() {
    for header in ["gzip", "deflate", "br", "zstd", "gzip, br, zstd, deflate, gzip"] {
        assert_eq!(decode(header, b"").unwrap(), b"");
        let mut fresh = decoder(header);
        let progress = fresh.decode(b"", &mut [0; 8]).unwrap();
        assert_eq!(progress, Progress { consumed: 0, produced: 0, state: State::NeedInput });
    }
}

#[test]
fn a_cut_stream_is_an_error_at_every_byte() {
    let mut all = coded(&text()[..300]);
    all.push(("br", unhex(BR_TEXT)));
    for (header, body) in all {
        for cut in 1..body.len() {
            let mut decoder = decoder(header);
            let (out, result) = run(&mut decoder, [&body[..cut]], 64);
            let expected = DecodeError::Truncated {
                coding: decoder.codings()[0],
                coded: cut as u64,
                decoded: out.len() as u64,
            };
            assert_eq!(result, Err(expected), "{header} cut at {cut}");
            assert!(text().starts_with(&out));
        }
    }
}

/// What a server has flushed comes out at once: a streamed response may pause for hours.
#[test]
fn flushed_bytes_are_not_held_back() {
    let mut deflate = write::ZlibEncoder::new(Vec::new(), Compression::best());
    deflate.write_all(&text()).unwrap();
    deflate.flush().unwrap();
    let mut gzip = write::GzEncoder::new(Vec::new(), Compression::best());
    gzip.write_all(&text()).unwrap();
    gzip.flush().unwrap();
    let mut stored = br(&text());
    stored.pop();

    let mut zstd = vec![0; 4096];
    let mut sink = zstd_safe::OutBuffer::around(&mut zstd[..]);
    let text = text();
    let mut source = zstd_safe::InBuffer::around(&text);
    let flush = zstd_safe::zstd_sys::ZSTD_EndDirective::ZSTD_e_flush;
    while CCtx::create().compress_stream2(&mut sink, &mut source, flush).unwrap() > 0 {}
    let written = sink.pos();
    zstd.truncate(written);

    let flushed = [
        ("deflate", deflate.get_ref().clone()),
        ("gzip", gzip.get_ref().clone()),
        ("br", stored),
        ("zstd", zstd),
    ];
    for (header, body) in flushed {
        let mut out = vec![0; 8192];
        let progress = decoder(header).decode(&body, &mut out).unwrap();
        assert_eq!(progress.state, State::NeedInput, "{header}");
        assert_eq!(out[..progress.produced], text, "{header}");
        assert!(is_truncated(header, &body));
    }
}

#[test]
fn a_stream_that_is_over_takes_no_more() {
    for header in ["deflate", "br"] {
        let (_, body) = coded(&text()).into_iter().find(|(name, _)| *name == header).unwrap();
        let with_junk = [&body[..], b"\r\n\0junk"].concat();
        assert_eq!(decode(header, &with_junk).unwrap(), text());
        let mut decoder = decoder(header);
        let progress = decoder.decode(&with_junk, &mut [0; 9000]).unwrap();
        assert_eq!((progress.consumed, progress.state), (with_junk.len(), State::Done));
        let progress = decoder.decode(b"more", &mut [0; 8]).unwrap();
        assert_eq!(progress, Progress { consumed: 4, produced: 0, state: State::Done });
    }
}

#[test]
fn gzip_members_follow_each_other() {
    let (one, two) = (gzip(b"one, "), gzip(b"two"));
    let both = [&one[..], &gzip(b""), &two].concat();
    assert_eq!(decode("gzip", &both).unwrap(), b"one, two");
    // Cut between members, there is nothing to see; within one, there is.
    assert_eq!(decode("gzip", &both[..one.len()]).unwrap(), b"one, ");
    for cut in 1..two.len() {
        assert!(is_truncated("gzip", &both[..both.len() - cut]));
    }
    // A later member is checked like the first.
    let mut wrong = both.clone();
    *wrong.last_mut().unwrap() ^= 1;
    assert_eq!(fault("gzip", &wrong), "incorrect length check");
}

#[test]
fn gzip_padding_and_junk_are_ignored() {
    for tail in [&b"\0"[..], &[0; 512], b"junk", b"\r\n", &[0x1f, 0x8c], &[0, 0x1f, 0x8b]] {
        let body = [&gzip(&text())[..], tail].concat();
        assert_eq!(decode("gzip", &body).unwrap(), text(), "{tail:?}");
        let (out, result) = run(&mut decoder("gzip"), body.chunks(1), 4096);
        assert_eq!((out, result), (text(), Ok(())));
    }
    // What begins like a member is one.
    let body = [&gzip(&text())[..], &[0x1f, 0x8b, 7]].concat();
    assert!(is_truncated("gzip", &body));
    let body = [&gzip(&text())[..], &[0x1f, 0x8b, 7, 0, 0, 0, 0]].concat();
    assert_eq!(fault("gzip", &body), "unknown compression method");
}

#[test]
fn gzip_is_checked() {
    let good = gzip(&text());
    let flipped = |index: usize| {
        let mut bad = good.clone();
        bad[index] ^= 0x40;
        bad
    };
    assert_eq!(fault("gzip", &flipped(0)), "it does not begin with the magic bytes 1f 8b");
    assert_eq!(fault("gzip", b"<html>"), "it does not begin with the magic bytes 1f 8b");
    assert_eq!(fault("gzip", &flipped(2)), "unknown compression method");
    assert_eq!(fault("gzip", &flipped(3)), "unknown header flags set");
    assert_eq!(fault("gzip", &flipped(good.len() - 8)), "incorrect data check");
    assert_eq!(fault("gzip", &flipped(good.len() - 1)), "incorrect length check");
}

#[test]
fn gzip_headers_may_carry_everything() {
    let mut encoder = flate2::GzBuilder::new()
        .extra(vec![1; 300])
        .filename("name.txt")
        .comment("no comment")
        .mtime(7)
        .write(Vec::new(), Compression::fast());
    encoder.write_all(&text()).unwrap();
    let body = encoder.finish().unwrap();
    assert_eq!(decode("gzip", &body).unwrap(), text());
    let (out, result) = run(&mut decoder("gzip"), body.chunks(1), 1);
    assert_eq!((out, result), (text(), Ok(())));
}

#[test]
fn deflate_is_checked() {
    let mut bad = zlib(&text());
    *bad.last_mut().unwrap() ^= 1;
    assert_eq!(fault("deflate", &bad), "incorrect data check");
    assert_eq!(fault("deflate", b"\x78\xbb\0\0\0\0"), "it needs a preset dictionary");
    assert_eq!(fault("deflate", b"\xff\xff\xff"), "invalid block type");
    assert!(is_truncated("deflate", b"\x78"));
}

/// urllib3: chunks of a deflate body could make its reader turn for ever.
#[test]
fn ghsa_gh4c_6fx4_qh6g_every_turn_moves() {
    for (header, body) in coded(&text()) {
        let mut with_gaps: Vec<&[u8]> = Vec::new();
        for byte in body.chunks(1) {
            with_gaps.extend([b"", byte]);
        }
        let (out, result) = run(&mut decoder(header), with_gaps, 1);
        assert_eq!((out, result), (text(), Ok(())), "{header}");
    }
}

#[test]
fn zstd_frames_follow_each_other() {
    let skippable = b"\x5a\x2a\x4d\x18\x05\0\0\0abcde";
    let one = zstd(b"one, ");
    let body = [skippable, &one[..], skippable, skippable, &zstd(b""), &zstd(b"two")].concat();
    assert_eq!(decode("zstd", &body).unwrap(), b"one, two");
    let (out, result) = run(&mut decoder("zstd"), body.chunks(1), 1);
    assert_eq!((&out[..], result), (&b"one, two"[..], Ok(())));
    assert_eq!(decode("zstd", skippable).unwrap(), b"");
    assert!(is_truncated("zstd", &skippable[..12]));
    for cut in 1..10 {
        assert!(is_truncated("zstd", &body[..body.len() - cut]));
    }
    // Padding and junk after the last frame are ignored; the beginning of a frame is not.
    for tail in [&b"\0"[..], &[0; 99], b"junk", &[0x28, 0xb5, 0x2f, 0xfe], &[0x5a, 0x2b]] {
        assert_eq!(decode("zstd", &[&one[..], tail].concat()).unwrap(), b"one, ", "{tail:?}");
    }
    assert!(is_truncated("zstd", &[&one[..], &[0x28, 0xb5, 0x2f]].concat()));
}

/// A header whose bytes look like another frame's beginning: libzstd took them for that if they came in one
/// piece, and for what they are, a frame with a dictionary, if they came in several (fuzz target codecs).
#[test]
fn a_zstd_header_is_the_same_in_pieces() {
    let frame = [0x28, 0xb5, 0x2f, 0xfd, 0x51, 0x2a, 0x4d, 0x18, 0, 0, 0, 0];
    for piece in 1..=frame.len() {
        let (out, result) = run(&mut decoder("zstd"), frame.chunks(piece), 4096);
        assert_eq!(out, b"", "{piece}");
        let text = result.unwrap_err().to_string();
        assert!(text.contains("Dictionary mismatch"), "{piece}: {text}");
    }
}

#[test]
fn zstd_is_checked() {
    let mut bad = zstd(&text());
    *bad.last_mut().unwrap() ^= 1;
    assert_eq!(fault("zstd", &bad), "Restored data doesn't match checksum");
    assert_eq!(fault("zstd", b"PK\x03\x04"), "it does not begin with the magic bytes 28 b5 2f fd");
}

/// RFC 9659: a window of 8 MiB is to be accepted, and no larger one used.
#[test]
fn zstd_windows_end_at_8_mib() {
    let long = vec![b'a'; 9 << 20];
    let window = |log| {
        let mut encoder = CCtx::create();
        encoder.set_parameter(CParameter::WindowLog(log)).unwrap();
        encoder.set_parameter(CParameter::ContentSizeFlag(false)).unwrap();
        let mut coded = Vec::with_capacity(1 << 20);
        encoder.compress2(&mut coded, &long).unwrap();
        coded
    };
    assert!(decode("zstd", &window(23)).unwrap() == long);
    let too_much = "Frame requires too much memory for decoding";
    assert_eq!(fault("zstd", &window(24)), too_much);

    // A single segment of 9 MiB needs a window of 9 MiB, however much room the caller has.
    let single = zstd_with(&long, &[CParameter::WindowLog(24)]);
    assert_eq!(single[4] & 0x20, 0x20, "not a single segment");
    for room in [1 << 10, 10 << 20] {
        let (_, result) = run(&mut decoder("zstd"), [&single[..]], room);
        let error = result.unwrap_err().to_string();
        assert!(error.contains(too_much), "{error}");
    }

    // A frame that asks for a window of nearly 4 TiB.
    assert_eq!(fault("zstd", b"\x28\xb5\x2f\xfd\x00\xff\x01\0\0"), too_much);
}

/// A distance code that there is not, found with few and with many bytes behind it.
#[test]
fn a_fault_of_deflate_is_told_wherever_it_is_found() {
    let coded = |behind| [b"\x4b\x04\x3e".as_slice(), &vec![0; behind]].concat();
    assert_eq!(fault("deflate", &coded(1)), "invalid distance code");
    assert_eq!(fault("deflate", &coded(500)), "invalid deflate data");
}

#[test]
fn br_is_checked() {
    assert_eq!(fault("br", b"\x11\x00\x00"), "format window bits"); // the large window extension
    assert_eq!(fault("br", b"<html></html>"), "format reserved");
}
