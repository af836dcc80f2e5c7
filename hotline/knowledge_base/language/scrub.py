"""Takes out of what people said whatever tells who they are, before any of it is kept for editors.

Numbers however they are spoken, names after the words that announce them, plates, addresses down to the door. Rather
one word too many than one too few: an editor can still read what was asked.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

import rjieba

MASK: Final = "×××"
LONGEST: Final = 120  # characters kept
LOOKED_AT: Final = 2_000  # characters read; nobody's question is longer

_DIGIT: Final = r"[\d零〇一二三四五六七八九幺两壹贰叁肆伍陆柒捌玖]"
# what stands between the digits of one number: signs, blanks, and what speakers fill pauses with
_GAP: Final = r"(?:[\W_]|[嗯啊呃额哎欸哦噢呀嘛])*"
_NUMBER: Final = re.compile(rf"\+?{_DIGIT}(?:{_GAP}{_DIGIT}){{4,}}(?:{_GAP}[xX])?")
_MAIL: Final = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+", re.ASCII)
_ANNOUNCED: Final = re.compile(
    r"((?:尾号|后[三四六]位|卡号|账号|帐号|户号|车牌号?|验证码|密码|身份证号?码?|电话号?码?|手机号?码?|座机|微信号?|QQ号?)"
    rf"(?:就?是|为|[:：])?{_GAP})(?:[\d零〇一二三四五六七八九幺两{MASK[0]}]{{3,}}[xX]?|(?=[A-Za-z]*\d)[A-Za-z\d]{{4,}})"
)
_PLATE: Final = re.compile(
    r"[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼使领]"
    rf"[\W_]*[A-Za-z](?:[\W_]*(?:[A-HJ-NP-Za-hj-np-z]|{_DIGIT}|[学警港澳挂])){{4,6}}"
)
_COUNT: Final = r"[\d零〇一二三四五六七八九十百幺两]"
_DOORS: Final = (
    # 5号楼3单元502室, 十二栋, 3单元
    re.compile(rf"{_COUNT}+(?=号楼|号院|单元|栋|幢|座\b)"),
    # 永兴路128号, 幸福巷3号
    re.compile(rf"(?<=[路街巷村弄道里院同区])[\W_]*{_COUNT}+(?=号)"),
    re.compile(rf"{_COUNT}{{2,}}(?=室|房间|号房|门牌)"),
    # what follows them without its word: 3单元五零二
    re.compile(rf"(?<=单元|号楼)[\W_]*{_COUNT}{{2,4}}"),
)

_SURNAMES: Final = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈姚卢姜崔"
    "钟谭陆汪范金石廖贾夏韦付方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤常温康施文牛樊葛"
    "邢安齐易乔伍庞颜倪庄聂章鲁岳翟殷詹申欧耿关兰焦俞左柳甘祝包宁尚符舒阮柯纪梅童凌毕单季裴霍涂成苗谷盛曲翁冉骆蓝"
    "路游辛靳欧阳管柴蒙鲍华喻祁蒲房滕屈饶解牟艾尤阳时穆农司卓古吉缪简车项连芦麦褚娄窦戚岑景党宫费卜冷晏席卫米柏宗"
    "瞿桂全佟应臧闵苟邬边卞姬师和仇栾隋商刁沙荣巫寇桑郎甄丛仲虞敖巩明佘池查麻苑迟邝"
)
_HAN: Final = "\u4e00-\u9fff"
_NAMED: Final = re.compile(
    r"((?:[我他她](?:的名字)?(?:姓.{1,2})?叫(?:做)?|(?:名字|姓名)(?:叫做?|是|为|[:：]))[\W_]*)"
    rf"(?!什么|啥|怎|哪|多)([{_HAN}]{{2,4}})"
)
_FAMILY: Final = re.compile(rf"([我他她]姓)[{_HAN}]")
_I_AM: Final = re.compile(rf"((?:我就?是|这里是|联系人是?|本人)[\W_]*)([{_SURNAMES}][{_HAN}]{{0,3}})")
_TITLED: Final = re.compile(
    rf"([{_SURNAMES}][{_HAN}]{{0,2}}?)(?=先生|女士|小姐|大爷|大妈|大娘|大叔|阿姨|师傅|老师|医生|大夫)"
)
_PERSON: Final = frozenset({"nr", "nrt", "nrfg"})
_NAME_AT_MOST: Final = 3


def scrub(text: str, *, at_most: int = LONGEST) -> str:
    """Return at most so many characters of a text without numbers of five digits or more (written or spoken),
    plates, doors and flats, mail addresses, and names that were announced as such. ``MASK`` stands where they were.
    """
    plain = "".join(_plain(char) for char in text[:LOOKED_AT])
    plain = " ".join(plain.split())
    plain = _MAIL.sub(MASK, plain)
    plain = _PLATE.sub(MASK, plain)
    plain = _ANNOUNCED.sub(rf"\g<1>{MASK}", plain)
    plain = _NUMBER.sub(MASK, plain)
    for door in _DOORS:
        plain = door.sub("×", plain)
    plain = _NAMED.sub(_without_name, plain)
    plain = _FAMILY.sub(rf"\g<1>{MASK}", plain)
    plain = _I_AM.sub(_without_surname, plain)
    plain = _TITLED.sub(_untitled, plain)
    plain = _NUMBER.sub(MASK, plain)  # digits that stood apart before what was between them went
    return plain[:at_most].strip()


def _plain(char: str) -> str:
    """Return letters and digits in one width; signs stay as they are written, control characters become blanks."""
    if unicodedata.category(char)[0] == "C":
        return " "
    return unicodedata.normalize("NFKC", char) if char.isalnum() else char


def _without_name(found: re.Match[str]) -> str:
    """After 我叫 a name follows, whatever it is; how long it is only its first word can tell."""
    said = found[2]
    first = rjieba.tag(said)[0]
    length = len(first[0]) if first[1] in _PERSON and len(first[0]) > 1 else min(len(said), _NAME_AT_MOST)
    return f"{found[1]}{MASK}{said[length:]}"


def _without_surname(found: re.Match[str]) -> str:
    """After 我是 a name may follow (王小明) or not (高中老师): the dictionary's word for what stands there decides."""
    said = found[2]
    word, kind = rjieba.tag(said)[0]
    if len(word) > 1 and kind not in _PERSON:
        return found[0]
    length = len(word) if len(word) > 1 else min(len(said), _NAME_AT_MOST)
    return f"{found[1]}{MASK}{said[length:]}"


def _untitled(found: re.Match[str]) -> str:
    """王小明先生 is somebody; 安装师傅 is not."""
    word, kind = rjieba.tag(found[1])[0]
    return found[0] if len(word) > 1 and kind not in _PERSON else MASK
