"""Sentences for synthesised corpora, written for this project: a small grammar per language, many distinct sentences.

A template has slots such as {person}; a slot is filled with one of its phrases, drawn with the caller's generator.
Every fifth template, and so every sentence made from it, belongs to the held-out set: no sentence of one set can occur
in the other, and the held-out ones differ in build and not in words alone.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from cmkt.errors import ConfigError, DataError

_SLOT = re.compile(r"\{(\w+)\}")
_HELD_OUT_EVERY = 5
_PATIENCE = 1000


@dataclass(frozen=True, slots=True)
class Grammar:
    """Templates with slots, and the phrases of each slot."""

    templates: tuple[str, ...]
    phrases: dict[str, tuple[str, ...]]

    def distinct(self, count: int, *, held_out: bool, rng: np.random.Generator) -> list[str]:
        """`count` distinct sentences from the held-out templates or from the others, the templates in turn.

        Raises DataError when a thousand draws in a row bring nothing new.
        """
        last = _HELD_OUT_EVERY - 1
        own = [text for index, text in enumerate(self.templates) if (index % _HELD_OUT_EVERY == last) is held_out]
        found: dict[str, None] = {}
        draws = misses = 0
        while len(found) < count:
            sentence = self._fill(own[draws % len(own)], rng)
            misses = misses + 1 if sentence in found else 0
            if misses > _PATIENCE:
                raise DataError(f"`count` must be what the grammar can give, about {len(found)}, but is {count}.")
            found[sentence] = None
            draws += 1
        return list(found)

    def _fill(self, template: str, rng: np.random.Generator) -> str:
        filled = _SLOT.sub(lambda slot: str(rng.choice(self.phrases[slot[1]])), template)
        return filled[0].upper() + filled[1:]


_ENGLISH = Grammar(
    templates=(
        "{person} {bought} {thing} {place} {time}.",
        "please put {thing} {where} before {person} comes back.",
        "the weather will be {weather} {later}, so take {thing} with you.",
        "{person} asked whether {person} had seen {thing}.",
        "when {event}, {person} {reacted}.",
        "I would like to talk to {person} about {topic}.",
        "the train to {town} leaves {later} from platform {number}.",
        "nobody in {town} knew why {event}.",
        "if you see {person} {place}, ask about {topic}.",
        "there are {number} boxes {where}, and one of them belongs to {person}.",
        "{person} wrote a long letter about {topic} and sent it to {town}.",
        "could you remind {person} to bring {thing} {later}?",
        "the doctor told {person} to rest until {event}.",
        "after {number} hours of work, {person} {reacted}.",
        "what {person} said about {topic} surprised everyone {place}.",
        "turn left at the {building}, then walk {number} minutes to the {building}.",
        "{person} grew up near {town} and still remembers the old {building}.",
        "we lost {thing} on the way from {town} to {town}.",
        "every morning {person} reads the news about {topic}.",
        "the {building} will be closed because {event}.",
        "my sister thinks that {topic} matters more than {topic}.",
        "{person} promised to repair {thing}, but {event}.",
        "it took {number} people to carry {thing} into the {building}.",
        "as far as I know, {person} {bought} {thing} for {number} dollars.",
        "they sat {where} and listened while {person} explained {topic}.",
        "has {person} ever been to {town} when it was {weather}?",
        "the children laughed because {person} {reacted}.",
        "a {weather} wind blew over {town} while {event}.",
        "call room {number} and say that {event}.",
        "behind the {building} stands a tree that {person} planted {time}.",
    ),
    phrases={
        "person": (
            "my brother", "the teacher", "her neighbour", "our cousin", "the young farmer", "his grandmother",
            "the captain", "Maria", "Doctor Brown", "the new student", "your uncle", "the mayor", "Peter", "Anna",
            "the old fisherman", "the girl next door", "our manager", "the bus driver", "a friend of mine", "the cook",
        ),
        "bought": ("bought", "found", "borrowed", "sold", "ordered", "lost", "repaired", "painted"),
        "thing": (
            "a warm coat", "the red bicycle", "two bottles of milk", "a silver watch", "the kitchen table",
            "an umbrella", "seven oranges", "a box of matches", "the blue suitcase", "a bag of flour",
            "the broken chair", "fresh bread", "the garden tools", "a pair of shoes", "the piano", "some cheese",
            "a map of the coast", "the spare key", "a basket of apples", "the small radio",
        ),
        "place": (
            "at the market", "in the library", "near the harbour", "at the station", "in the village shop",
            "behind the church", "by the river", "at the airport", "in the park", "across the street",
        ),
        "where": (
            "on the top shelf", "under the stairs", "in the kitchen", "beside the window", "next to the fireplace",
            "in the back of the car", "outside the front door", "on the wooden bench",
        ),
        "time": (
            "yesterday", "on Monday", "last winter", "this morning", "at half past nine", "the day before yesterday",
            "after lunch", "on the third of June", "at noon", "a few days ago", "before sunrise", "two years ago",
        ),
        "later": (
            "tomorrow", "on Friday", "this evening", "at a quarter to eight", "tomorrow morning", "next week",
            "after dinner", "on the first of May", "at midnight", "next Thursday", "on Sunday", "in two hours",
        ),
        "weather": ("cold", "cloudy", "very warm", "stormy", "dry", "foggy", "mild", "wet and grey"),
        "event": (
            "the bridge was under repair", "the lights went out", "it started to snow", "the guests arrived late",
            "the river rose over its banks", "the shop ran out of sugar", "the music stopped", "the dog ran away",
            "the roof began to leak", "the boat came into the harbour", "the meeting was cancelled",
            "the school choir was singing", "the phone rang twice", "the price of wheat fell",
        ),
        "reacted": (
            "laughed out loud", "went straight home", "made a pot of tea", "opened all the windows",
            "fell asleep on the sofa", "called the police", "began to sing", "shook hands with everyone",
            "said nothing at all", "asked for a glass of water", "wrote everything down",
        ),
        "topic": (
            "the garden", "the price of bread", "early railway engines", "good manners", "the history of the valley",
            "sailing at night", "healthy food", "the election", "clean drinking water", "modern music",
            "how bees find flowers", "the missing letters", "learning to swim", "the shape of the moon",
            "public transport",
        ),
        "town": (
            "Oxford", "the capital", "Riverside", "Boston", "a small town in the hills", "Dublin", "the next village",
            "Sydney", "Lake Edward", "the west coast", "Toronto", "Greenfield",
        ),
        "number": (
            "two", "three", "four", "five", "six", "eight", "nine", "eleven", "twelve", "fifteen", "twenty", "thirty",
        ),
        "building": (
            "post office", "town hall", "museum", "bakery", "hospital", "swimming pool", "theatre", "lighthouse",
            "school", "water mill", "bank", "railway station",
        ),
    },
)  # fmt: skip

_MANDARIN = Grammar(
    templates=(
        "{person}{time}在{place}买了{thing}。",
        "请把{thing}放在{where}，{person}马上就回来。",
        "{later}的天气{weather}，出门要带{thing}。",
        "{person}问我有没有看见{thing}。",
        "因为{event}，{person}{reacted}。",
        "我想和{person}谈一谈{topic}。",
        "去{town}的火车{later}从{number}号站台出发。",
        "{town}的人都不知道为什么{event}。",
        "如果你在{place}见到{person}，就问问{topic}。",
        "{where}有{number}个箱子，其中一个是{person}的。",
        "{person}写了一封关于{topic}的长信，寄到了{town}。",
        "请提醒{person}{later}带上{thing}。",
        "医生让{person}休息{number}天。",
        "工作了{number}个小时以后，{person}{reacted}。",
        "{person}说的{topic}让{place}的人都很吃惊。",
        "{person}在{town}长大，现在还常常想起{topic}。",
        "我们从{town}到{town}的路上丢了{thing}。",
        "每天早上{person}都在{place}读{topic}的新闻。",
        "姐姐觉得{topic}比{topic}更重要。",
        "{person}答应修好{thing}，可是{event}。",
        "{number}个人才把{thing}搬到{where}。",
        "{person}花了{number}块钱在{place}买到{thing}。",
        "孩子们都笑了，因为{person}{reacted}。",
        "{town}的{time}{weather}，而且{event}。",
        "请打电话告诉{person}，{event}。",
    ),
    phrases={
        "person": (
            "我弟弟", "王老师", "隔壁的邻居", "年轻的农民", "李医生", "他的奶奶", "船长", "新来的学生",
            "小红", "张经理", "公共汽车司机", "我的朋友", "老渔夫", "市长", "厨师", "表姐",
        ),
        "time": (
            "昨天", "星期一", "去年冬天", "今天早上", "昨天晚上", "前天", "午饭以后", "六月三号", "中午", "前几天",
        ),
        "later": (
            "明天", "星期五", "今天晚上", "七点三刻", "明天早上", "下星期", "晚饭以后", "五月一号", "半夜", "后天",
        ),
        "place": ("市场", "图书馆", "港口", "车站", "村里的商店", "河边", "机场", "公园", "学校门口", "街对面"),
        "thing": (
            "一件大衣", "红色的自行车", "两瓶牛奶", "一块手表", "厨房的桌子", "一把雨伞", "七个橙子", "蓝色的箱子",
            "一袋面粉", "新鲜的面包", "一双鞋", "那架钢琴", "一张地图", "备用钥匙", "一篮苹果", "小收音机",
        ),
        "where": ("最上面的架子上", "楼梯下面", "厨房里", "窗户旁边", "汽车后面", "门外", "木头长椅上", "床底下"),
        "weather": ("很冷", "多云", "非常暖和", "有暴风雨", "很干燥", "有大雾", "不冷不热", "又湿又冷"),
        "event": (
            "桥正在修理", "电灯突然灭了", "外面开始下雪", "客人来晚了", "河水涨得很高", "商店里没有糖了",
            "音乐停了", "小狗跑丢了", "屋顶开始漏水", "会议取消了", "电话响了两次", "粮食的价格下降了",
        ),
        "reacted": (
            "大声笑了起来", "马上回家了", "泡了一壶茶", "打开了所有的窗户", "在沙发上睡着了", "报了警",
            "开始唱歌", "什么也没说", "要了一杯水", "把事情都写了下来",
        ),
        "topic": (
            "花园", "面包的价格", "早期的火车", "山谷的历史", "夜里航海", "健康的食物", "干净的饮用水", "现代音乐",
            "蜜蜂怎样找花", "那些丢失的信", "学习游泳", "月亮的形状", "公共交通",
        ),
        "town": ("北京", "上海", "海边的小镇", "山里的村子", "南京", "广州", "成都", "西安", "杭州", "首都"),
        "number": ("两", "三", "四", "五", "六", "八", "九", "十一", "十二", "十五", "二十", "三十"),
    },
)  # fmt: skip

_GRAMMARS = {"en": _ENGLISH, "zh": _MANDARIN}


def languages() -> list[str]:
    """The languages that have a grammar."""
    return sorted(_GRAMMARS)


def sentences(count: int, *, language: str, held_out: bool, rng: np.random.Generator) -> list[str]:
    """`count` distinct sentences, in order of drawing.

    language: "en" (English) or "zh" (Mandarin, Hanzi); held_out: from the held-out templates or from the others.
    Raises ConfigError for another language, DataError when the grammar does not give that many.
    """
    if language not in _GRAMMARS:
        raise ConfigError(f"`language` must be one of {languages()}, but is {language!r} instead.")
    return _GRAMMARS[language].distinct(count, held_out=held_out, rng=rng)
