//! Any bytes at all, and any change to good ones.

use super::*;

/// Hands bytes to everything that reads bytes from outside.
fn read_everything(bytes: &[u8]) {
    fn object<T: Body>(bytes: &[u8]) {
        if let Ok(object) = Unverified::<T>::decode(bytes) {
            let key = *testing::owner().verifying_key();
            let _ = object.id(NO_REST);
            let _ = object.verify(&key, NO_REST);
        }
        let _ = T::read(&mut Reader::new(bytes));
    }
    object::<Claims>(bytes);
    object::<Challenge>(bytes);
    object::<Proof>(bytes);
    object::<Receipt>(bytes);
    object::<Statement>(bytes);
    object::<Bundle>(bytes);
    object::<TimeAttestation>(bytes);
    object::<JournalHead>(bytes);
    object::<SyncHello>(bytes);
    if let Ok(key) = UnverifiedKey::parse(bytes) {
        let _ = key.verify(vehicle(), &roots(), &AnchorStore::default());
    }
    let _ = AnchorStore::default().insert(bytes, vehicle(), &roots());
    let _ = Presentation::parse(bytes);
    let _ = Carried::parse(bytes);
    let _ = parse_answer(bytes);
    let _ = SyncMessage::decode(bytes);
    let _ = Entry::decode(bytes);
    let _ = StatusBoard::decode(bytes);
    let _ = PairOffer::decode(bytes);
    let _ = PairConfirm::decode(bytes);
    let _ = PairAnswer::decode(bytes);
}

/// Good objects of every kind, to be spoilt.
fn objects() -> Vec<Vec<u8>> {
    let leaf = ObjectId([4; 32]);
    let challenge = testing::challenge(1).bytes;
    let proof = testing::proof(VehicleCommand::Lock, 1, &holder(1), &challenge, &leaf).bytes;
    let key = KeyBuilder::mandated().encode();
    let statement = testing::statement(3, NOW, None, &[leaf.short()], &[leaf.short()]).bytes;
    let carried = Carried {
        kind: CarriedKind::Statement,
        object: &statement,
        challenge: None,
    };
    let (presentation, carried) = (
        encode_presentation(&challenge, &key, &proof),
        carried.encode(),
    );
    let bundle = seal(&testing::bundle(2), &testing::owner(), NO_REST)
        .expect("signs")
        .bytes;
    vec![
        testing::status_link().bytes,
        testing::attestation(NOW, &challenge).bytes,
        SyncMessage::Present {
            id: 7,
            presentation: presentation.clone(),
        }
        .encode(),
        presentation,
        carried,
        challenge,
        proof,
        key,
        statement,
        bundle,
    ]
}

proptest! {
    #![proptest_config(law())]

    #[test]
    fn no_bytes_make_a_reader_panic(bytes in vec(any::<u8>(), 0..300)) {
        read_everything(&bytes);
    }

    #[test]
    fn no_spoilt_object_makes_a_reader_panic(
        which in any::<Index>(),
        spoilt in vec((any::<Index>(), any::<u8>(), 0u8..3), 1..5),
    ) {
        let objects = objects_once();
        let mut bytes = which.get(objects).clone();
        for (at, value, how) in spoilt {
            let at = at.index(bytes.len());
            match how {
                0 => bytes[at] = value,
                1 => bytes.insert(at, value),
                _ if bytes.len() > 1 => {
                    bytes.remove(at);
                }
                _ => {}
            }
        }
        read_everything(&bytes);
    }
}

fn objects_once() -> &'static [Vec<u8>] {
    static OBJECTS: std::sync::OnceLock<Vec<Vec<u8>>> = std::sync::OnceLock::new();
    OBJECTS.get_or_init(objects)
}

proptest! {
    #![proptest_config(law())]

    #[test]
    fn only_the_links_of_one_chain_in_their_order_make_a_key(picks in vec((any::<bool>(), 0usize..4), 1..5)) {
        let chains = two_chains();
        let links: Vec<&[u8]> = picks
            .iter()
            .map(|(which, index)| &chains[usize::from(*which)].links()[*index].bytes[..])
            .collect();
        let in_order = picks.iter().enumerate().all(|(place, (which, index))| {
            *which == picks[0].0 && *index == place
        });
        let verified = verify(&encode_key(First::Link(links[0]), &links[1..]));
        prop_assert_eq!(verified.is_ok(), in_order);
    }
}

/// Two chains of four links between the same holders.
fn two_chains() -> &'static [KeyBuilder; 2] {
    static CHAINS: std::sync::OnceLock<[KeyBuilder; 2]> = std::sync::OnceLock::new();
    CHAINS.get_or_init(|| {
        [1, 2].map(|grant| {
            let link = |number: u8| {
                let mut claims = testing::claims(&holder(number), window(), Entitlements::UNLOCK);
                claims.policy.delegations = 4 - number;
                claims
            };
            let mut first = link(1);
            first.grant_id = Some(GrantId([grant; 8]));
            (2..=4).fold(
                KeyBuilder::first(&testing::owner(), &first, &holder(1)),
                |key, number| key.then(link(number), &holder(number)),
            )
        })
    })
}
