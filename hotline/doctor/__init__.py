"""What an installation needs, as one list: ``hotline doctor``, ``hotline setup`` and the page 开通检查 all read it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from hotline.accounts.roles import Role
from hotline.db import UnreadableError
from hotline.doctor import looks
from hotline.doctor.seen import Seen, State, missing

if TYPE_CHECKING:  # bootstrap names every adapter; a look needs only the shape of what it built
    from hotline.bootstrap import Runtime


@dataclass(frozen=True, slots=True)
class Check:
    """One thing to look at. What to do when it is not as it should be: words, and the command or page that does it.

    ``tables`` False: can be looked at without a database.
    """

    key: str
    chinese: str
    english: str
    look: Callable[[Runtime], Seen]
    todo_chinese: str
    todo_english: str
    command: str = ""
    page: str = ""
    tables: bool = True


@dataclass(frozen=True, slots=True)
class Finding:
    """A check and what was seen."""

    check: Check
    seen: Seen

    @property
    def state(self) -> State:
        """How it stands."""
        return self.seen.state

    @property
    def good(self) -> bool:
        """Whether there is nothing to do."""
        return self.state is State.OK


# in the order in which they can be mended
CHECKS: Final[tuple[Check, ...]] = (
    Check(
        "address",
        "访问网址",
        "public address",
        looks.address,
        "在 .env 里填写外面能打开的 https 网址 HOTLINE_PUBLIC_URL",
        "set HOTLINE_PUBLIC_URL to an https address",
        tables=False,
    ),
    Check(
        "database",
        "数据库",
        "database",
        looks.database,
        "启动数据库，核对 HOTLINE_DATABASE_URL",
        "start it, and look at HOTLINE_DATABASE_URL",
        tables=False,
    ),
    Check(
        "tables",
        "数据库表",
        "tables",
        looks.tables,
        "在服务器上建立或更新",
        "make or renew them",
        command="hotline db upgrade",
        tables=False,
    ),
    Check(
        "keys",
        "数据密钥",
        "data keys",
        looks.keys,
        "把当时的密钥放回 HOTLINE_DATA_KEYS",
        "put the key of that time back into HOTLINE_DATA_KEYS",
    ),
    Check(
        "redis",
        "Redis",
        "redis",
        looks.pushes,
        "启动 Redis，核对 HOTLINE_REDIS_URL",
        "start it, and look at HOTLINE_REDIS_URL",
        tables=False,
    ),
    Check(
        "carrier",
        "电话线路",
        "carrier",
        looks.carrier,
        "核对 HOTLINE_TWILIO_ACCOUNT_SID、_AUTH_TOKEN、_API_URL；本机交换机要先启动",
        "look at HOTLINE_TWILIO_ACCOUNT_SID, _AUTH_TOKEN, _API_URL; an exchange has to run",
        tables=False,
    ),
    Check(
        "hub",
        "热线中心",
        "hub",
        looks.hub,
        "建立或导入",
        "import it with the other units",
        command="hotline import units FILE",
        page="/office/city/units",
    ),
    Check(
        "units",
        "二级单位",
        "units",
        looks.leading,
        "建立或导入",
        "import at least one",
        command="hotline import units FILE",
        page="/office/city/units",
    ),
    Check(
        "operators",
        "话务员",
        "operators",
        looks.operators,
        "建立或导入，填写坐席号",
        "import one with a seat",
        command="hotline import users FILE",
        page="/office/city/users",
    ),
    Check(
        "dispatchers",
        "派单员",
        "dispatchers",
        looks.somebody(Role.REV, "没有人派单，工单会停在待派单", "orders stay undispatched"),
        "建立或导入",
        "import one",
        command="hotline import users FILE",
        page="/office/city/users",
    ),
    Check(
        "callbacks",
        "回访员",
        "callback officers",
        looks.somebody(Role.CBK, "没有人回访，工单不能办结", "no order can be closed"),
        "建立或导入",
        "import one",
        command="hotline import users FILE",
        page="/office/city/users",
    ),
    Check(
        "administrator",
        "系统管理员",
        "administrator",
        looks.somebody(Role.ADM, "没有人能设置", "nobody can set things up"),
        "建一个",
        "create one",
        command="hotline user create NAME --role ADM",
        page="/office/city/users",
    ),
    Check(
        "clerks",
        "单位经办人",
        "clerks",
        looks.clerks,
        "给这些单位建经办人",
        "import a clerk for each",
        command="hotline import users FILE",
        page="/office/city/units?show=silent",
    ),
    Check(
        "channels",
        "推送渠道",
        "channels",
        looks.channels,
        "补上单位的推送地址、签名密钥、邮箱或值班电话，或在 .env 里填写邮件服务器 HOTLINE_SMTP_URL、HOTLINE_MAIL_FROM",
        "complete these units; e-mail also needs HOTLINE_SMTP_URL and HOTLINE_MAIL_FROM",
        page="/office/city/units",
    ),
    Check(
        "categories",
        "问题分类",
        "categories",
        looks.categories,
        "建立或导入",
        "import them",
        command="hotline import categories FILE",
        page="/office/city/categories",
    ),
    Check(
        "numbers",
        "热线号码",
        "dialled numbers",
        looks.numbers,
        "填写名称和问候语",
        "give each a name and greeting",
        command="hotline import numbers FILE",
        page="/office/city/numbers",
    ),
    Check(
        "responsibility",
        "责任清单",
        "responsibility list",
        looks.responsibility,
        "建立或导入",
        "import a version",
        command="hotline import responsibility FILE",
        page="/office/city/responsibility",
    ),
    Check(
        "knowledge",
        "知识",
        "knowledge",
        looks.knowledge,
        "在服务器上导入",
        "import entries",
        command="hotline kb import FILE.jsonl",
    ),
    Check(
        "speech",
        "语音识别",
        "speech model",
        looks.speech,
        "在服务器上安装",
        "install one",
        command="hotline speech install small-cn",
        tables=False,
    ),
    Check(
        "calendar",
        "工作日历",
        "calendar",
        looks.calendar,
        "公布后在日历里填",
        "enter them once they are published",
        command="hotline import calendar FILE",
        page="/office/city/calendar",
    ),
    Check("web", "热线程序", "hotline", looks.web, "在服务器上启动", "start it", command="make run", tables=False),
    Check("workers", "后台程序", "workers", looks.workers, "在服务器上启动", "start them", command="make run"),
    Check(
        "call",
        "第一个电话",
        "first call",
        looks.first_call,
        "让话务员示闲，用手机拨一次热线号码",
        "let an operator be ready, and dial",
        command="hotline setup",
    ),
)
BY_KEY: Final = {check.key: check for check in CHECKS}


def look(runtime: Runtime, check: Check) -> Finding:
    """Return what one check sees now. Never raises for what it looks at."""
    try:
        return Finding(check, check.look(runtime))
    except UnreadableError as fault:  # the check of the keys says why; what they hide cannot be looked at
        return Finding(check, missing("数据用现在的密钥打不开", f"cannot be read: {fault}"))


def examine(runtime: Runtime, checks: Sequence[Check] = CHECKS) -> list[Finding]:
    """Return every finding in order; without tables only what can be seen without them."""
    findings: list[Finding] = []
    bare = False
    for check in checks:
        if bare and (check.tables or check.key == "tables"):
            continue
        found = look(runtime, check)
        findings.append(found)
        bare = bare or (check.key in {"database", "tables"} and found.state is State.MISSING)
    return findings


__all__ = ["BY_KEY", "CHECKS", "Check", "Finding", "Seen", "State", "examine", "look"]
