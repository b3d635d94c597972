"""A thread on Bluesky: each part names the first and the one before it by address and hash."""

from tests.integration.publishing.bluesky.conftest import GET, PUT, Sky


def publish_part(sky: Sky, post_id: str, run: int, index: int) -> None:
    sky.desk.open(post_id, run)
    assert sky.desk.prepare(post_id, run, index)["outcome"] == "prepared"
    assert sky.desk.publish(post_id, run, index)["outcome"] == "done"


def test_a_thread_is_linked_as_the_lexicon_says(sky: Sky) -> None:
    replies = [{"text": "Two"}, {"text": "Three"}]
    post = sky.desk.post("One", accounts=[sky.account()], replies=replies)
    run = sky.desk.start(post["id"])
    for index in range(3):
        publish_part(sky, post["id"], run, index)
    assert sky.pds.answered(sky.owner) == [("One", ""), ("Two", "One"), ("Three", "Two")]
    records = {record["value"]["text"]: record for record in sky.pds.records(sky.owner)}
    first, second, third = (records[text] for text in ("One", "Two", "Three"))
    named = third["value"]["reply"]
    assert (named["root"], named["parent"]) == (
        {"uri": first["uri"], "cid": first["cid"]},
        {"uri": second["uri"], "cid": second["cid"]},
    )


def test_a_part_that_a_person_has_found_is_asked_for_its_hash(sky: Sky) -> None:
    post = sky.desk.post("One", accounts=[sky.account()], replies=[{"text": "Two"}])
    run = sky.desk.ready_first(post["id"])
    sky.pds.wire.fail(*("POST", PUT), "question lost")
    sky.desk.publish(post["id"], run, 0)
    found = sky.pds.put(sky.owner, "3lfabcdefgh2k", "One")
    sky.desk.owner.execute(
        "UPDATE t_acme.targets SET state = 'unconfirmed' WHERE post_id = %s AND position = 0", (post["id"],)
    )
    target = sky.desk.target(post["id"])["id"]
    resolve = f"/v1/posts/{post['id']}/targets/{target}/resolve"
    url = f"https://bsky.app/profile/{sky.owner.did}/post/3lfabcdefgh2k"
    assert sky.desk.editor.post(resolve, {"it_is_there": True, "url": url}).status == 200
    run = sky.desk.start(post["id"])
    publish_part(sky, post["id"], run, 1)
    (reply,) = (one for one in sky.pds.records(sky.owner) if one["value"]["text"] == "Two")
    assert reply["value"]["reply"]["parent"] == {"uri": found["uri"], "cid": found["cid"]}
    assert sky.pds.wire.asked("GET", GET) >= 1


def test_nothing_answers_what_is_gone(sky: Sky) -> None:
    post = sky.desk.post("One", accounts=[sky.account()], replies=[{"text": "Two"}])
    run = sky.desk.ready_first(post["id"])
    sky.desk.publish(post["id"], run, 0)
    sky.desk.owner.execute("UPDATE t_acme.attempts SET evidence = '{}'")
    rkey = sky.desk.target(post["id"])["receipt"]["remote_id"].rpartition("/")[2]
    body = {"repo": sky.owner.did, "collection": "app.bsky.feed.post", "rkey": rkey}
    sky.pds.call("repo.deleteRecord", sky.owner.access, json=body)
    sky.desk.open(post["id"], run)
    assert sky.desk.prepare(post["id"], run, 1)["outcome"] == "done"
    assert sky.desk.target(post["id"], 1)["problem"]["code"] == "content-refused"
    assert sky.pds.texts(sky.owner) == []
