"""One small mistake per claim of the notebook about workers, each noticed by that claim."""

from tests.slow.sabotage.model import Sabotage

SABOTAGES = [
    Sabotage(
        claim="q07.1",
        cell="inline-run",
        find="SLOTS, SECONDS, SHARED = 4, 0.4,",
        replace="SLOTS, SECONDS, SHARED = 4, 0.0,",
        why="the work takes no time, so there is nothing to wait for",
    ),
    Sabotage(
        claim="q07.3",
        cell="scale-run",
        find="more = count - len(workers)",
        replace="more = 1",
        why="fewer workers are added than counted",
    ),
    Sabotage(
        claim="q07.4",
        cell="kill-run",
        find='end_in_mid_job(worker, "after")',
        replace='end_in_mid_job(worker, "before")',
        why="the worker acks before the work after all",
    ),
    Sabotage(
        claim="q07.5",
        cell="long-function",
        find="HEARTBEAT_S = 2",
        replace="HEARTBEAT_S = 30",
        why="the job does not outlast the heartbeat",
    ),
    Sabotage(
        claim="q07.5",
        cell="handlers-threaded",
        find="threading.Thread(target=work, args=(method.delivery_tag, body.decode())).start()",
        replace="work(method.delivery_tag, body.decode())",
        why="the work that should run on a thread runs in the callback",
    ),
    Sabotage(
        claim="q07.6",
        cell="handlers-drain",
        find="signal.signal(signal.SIGTERM,",
        replace="signal.signal(signal.SIGINT,",
        why="the worker listens for another signal",
    ),
    Sabotage(
        claim="q07.6",
        cell="stop-run",
        find="sigterm(finishes=True, grace_s=20)",
        replace="sigterm(finishes=False, grace_s=0.3)",
        why="the worker that drains is not given the time",
    ),
    Sabotage(
        claim="q07.7",
        cell="handlers-server",
        find="publish_in_time(document, timeout_s=1)",
        replace="publish_in_time(document, timeout_s=None)",
        why="the wait for the confirm has no deadline",
    ),
    Sabotage(
        claim="q07.7",
        cell="handlers-relay",
        find="                break",
        replace="                pass",
        why="the relay deletes what was not confirmed",
    ),
    Sabotage(
        claim="q07.2",
        cell="inline-run",
        find='alone = web.load(server, "/queued/"',
        replace='alone = web.load(server, "/inline/"',
        why="the requests are answered inline, after the work",
    ),
    Sabotage(
        claim="q07.8",
        cell="lock-run",
        find="fcntl.LOCK_EX",
        replace="fcntl.LOCK_SH",
        why="the lock is shared, so nobody waits for it",
    ),
    Sabotage(
        claim="q07.9",
        cell="give-back-run",
        find='"x-delivery-limit": 3',
        replace='"x-delivery-limit": 20',
        why="the limit allows for more deployments than there are",
    ),
    Sabotage(
        claim="q07.9",
        cell="handlers-give-back",
        find="basic_nack(tags[0], requeue=True)",
        replace="basic_nack(tags[0], requeue=False)",
        why="the worker gives the job up instead of giving it back",
    ),
]
