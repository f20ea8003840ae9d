use serde_json::json;

use super::{Host, Phone, TestApp};

/// Everybody who may try a route, and one thing of each kind to try it on.
pub struct Cast {
    pub owner: String,
    pub stranger: String,
    pub holder: String,
    pub ex_holder: String,
    /// Holds a key for one use.
    pub technician: String,
    pub vehicle: String,
    /// The holder's key.
    pub held_key: String,
    /// A key that waits for its holder.
    pub open_key: String,
    /// An offer of the latter.
    pub invitation: String,
}

impl Cast {
    pub async fn assemble(test: &TestApp) -> Self {
        let host = Host::with_mandate(test).await;
        let stranger = test.sign_up("stranger@example.com").await;
        let holder = host.give(json!({}), 1).await;
        let one_use = json!({"policy": {"max_uses": 1}, "entitlements": ["open_trunk", "remote"]});
        let technician = host.give(one_use, 2).await;
        let ex_holder = ex_holder(&host).await;
        let open_key = host.issue(json!({})).await.text("id");
        let invited = host.change(&open_key, "invitations", None).await;
        Self {
            held_key: holder.key_id(),
            holder: holder.token,
            technician: technician.token,
            ex_holder: ex_holder.token,
            invitation: invited.text("id"),
            open_key,
            stranger,
            vehicle: host.vehicle,
            owner: host.token,
        }
    }
}

/// Who reported the phone lost, so that its session ended.
async fn ex_holder(host: &Host<'_>) -> Phone {
    let key = host.issue(json!({})).await.text("id");
    let invited = host.change(&key, "invitations", None).await;
    let phone = Phone::redeem(host.test, &invited, 3).await;
    let body = json!({"secret": invited.text("secret"), "recovery_code": phone.recovery_code});
    let path = format!("/v1/invitations/{}/lost", invited.text("id"));
    assert_eq!(host.test.post(&path).json(body).send().await.status, 200);
    phone
}
