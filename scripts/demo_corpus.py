"""The training text of the demo model: stories unchanged, and conversations in the turn format.

The corpus folder holds plain text: tinystories.txt and storybooks_ccby.txt, with a line `<|endoftext|>` between documents, and
tinytalks_v1.txt with `Q:` and `A:` lines.
"""

import random
import re
from pathlib import Path

END_OF_TEXT, PADDING, USER, ASSISTANT, END, SYSTEM = SPECIAL_TOKENS = (
    "<|endoftext|>",
    "<|padding|>",
    "<|user|>",
    "<|assistant|>",
    "<|end|>",
    "<|system|>",
)  # a token's id is its position
HELD_OUT_STORIES = 100
CHAT_STORY_SHARE = 0.3  # share of stories told as an answer, per epoch
CONVERSATIONS = 4000  # per epoch

NAMES = """
    Anna Ben Lily Tom Max Mia Sam Lucy Tim Sara Jack Emma Leo Zoe Bob Alice Amy Jake Ella Noah Ruby Finn Rosa
    Omar Nina Kofi Amina Ravi Maya Ivan Lena Hugo Clara Peter Jane Dan Kate Nick Lola Sue
""".split()
COLOURS = "red blue green yellow pink purple orange white black brown".split()
ANIMALS = """
    dog cat bird fish rabbit horse cow duck bear lion frog mouse pig sheep monkey elephant fox owl turtle
""".split()
FOODS = "pizza pasta apples bananas rice soup cake cookies bread cheese carrots grapes pancakes".split()
TOPICS = set(ANIMALS) | set(
    """
    airplane ant apple baby ball balloon banana basket beach bee bell bicycle bike blanket block boat book
    bottle bowl box boy bread bridge brother bucket bug bunny bus butterfly button cake camera candle candy car
    castle cave chair chicken clock cloud clown coat cookie cup doctor doll dolphin donkey dragon dream dress
    drum egg fairy farmer feather fire fireman flower forest friend garden ghost giant gift girl goat grandma
    guitar hat hen hill house ice jar jacket jungle key king kite kitten knight lake lamp leaf lemon letter
    lizard lollipop machine magic map mirror mittens moon mountain mud mushroom nest nurse ocean octopus orange
    pan park parrot party pen pencil picture pie pirate pizza plane plant pond potato present prince princess
    puppy puzzle queen rain rainbow river road robot rock rope rose sandcastle scarf school sea shark shell ship
    shoe snail snake snow snowman sock song soup spider spoon squirrel star stone storm sun swing tiger tower
    toy tractor train treasure tree truck umbrella unicorn village wagon wall water whale wind wing wizard wolf
    worm zebra zoo
""".split()
)

SOUNDS = {
    "dog": "woof",
    "cat": "meow",
    "cow": "moo",
    "duck": "quack",
    "sheep": "baa",
    "pig": "oink",
    "lion": "roar",
    "horse": "neigh",
    "bird": "tweet",
    "bee": "buzz",
    "owl": "hoot",
    "mouse": "squeak",
    "frog": "ribbit",
    "hen": "cluck",
    "snake": "hiss",
    "wolf": "howl",
}
OPPOSITES = [
    ("big", "small"),
    ("hot", "cold"),
    ("up", "down"),
    ("happy", "sad"),
    ("fast", "slow"),
    ("day", "night"),
    ("old", "young"),
    ("wet", "dry"),
    ("loud", "quiet"),
    ("light", "dark"),
    ("hard", "soft"),
    ("tall", "short"),
    ("clean", "dirty"),
    ("full", "empty"),
    ("open", "closed"),
    ("good", "bad"),
    ("in", "out"),
    ("near", "far"),
    ("heavy", "light"),
    ("left", "right"),
    ("early", "late"),
    ("yes", "no"),
    ("begin", "end"),
    ("kind", "mean"),
]
COLOUR_OF = {
    "the sky": "blue",
    "grass": "green",
    "snow": "white",
    "the sun": "yellow",
    "a banana": "yellow",
    "a strawberry": "red",
    "a carrot": "orange",
    "a frog": "green",
    "milk": "white",
    "night": "black",
    "a lemon": "yellow",
    "a pumpkin": "orange",
    "a tomato": "red",
    "chocolate": "brown",
    "the sea": "blue",
    "a leaf": "green",
    "an elephant": "gray",
    "a crow": "black",
    "a cherry": "red",
    "a fire truck": "red",
}
HOMES = {
    "a bird": "in a nest",
    "a fish": "in the water",
    "a bee": "in a hive",
    "a bear": "in a cave",
    "a dog": "in a house",
    "a frog": "near a pond",
    "a cow": "on a farm",
    "a monkey": "in the jungle",
    "a rabbit": "in a hole",
    "a horse": "in a barn",
    "a whale": "in the sea",
    "a spider": "in a web",
    "a camel": "in the desert",
}
NUMBERS = "one two three four five six seven eight nine ten".split()
DAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()

SMALL_TALK = [
    (
        ["Hello!", "Hi!", "Hi there!", "Hey!", "Hello there!", "Good day!"],
        [
            "Hello! How are you today?",
            "Hi! It is nice to see you.",
            "Hello! What would you like to talk about?",
            "Hi there! Do you want to hear a story?",
        ],
    ),
    (["Good morning!", "It is morning."], ["Good morning! Did you sleep well?", "Good morning! What a nice day."]),
    (
        ["Good night!", "I am going to bed.", "It is time to sleep."],
        ["Good night! Sleep well.", "Good night! Sweet dreams."],
    ),
    (
        ["How are you?", "How are you today?", "How do you do?"],
        ["I am fine, thank you! How are you?", "I am very well, thank you.", "I am happy today. How are you?"],
    ),
    (
        ["I am fine.", "I am fine, thank you.", "I am good.", "I am well too."],
        ["I am glad to hear that!", "That is good to hear!"],
    ),
    (
        ["Who are you?", "What are you?", "Are you a person?", "Tell me about yourself."],
        ["I am a tiny language model. I like to tell stories.", "I am a very small xLSTM, and I love stories."],
    ),
    (["What is your name?", "Do you have a name?"], ["I am a tiny xLSTM. What is your name?"]),
    (["How old are you?"], ["I do not have an age. I am only a small program."]),
    (
        ["What can you do?", "What do you know?", "Can you help me?"],
        ["I can tell you a story, or we can talk a little.", "I can tell stories and answer small questions."],
    ),
    (
        ["Thank you!", "Thanks!", "Thank you very much.", "Thank you for the story."],
        ["You are welcome!", "You are very welcome!", "I am glad you liked it."],
    ),
    (
        ["Goodbye!", "Bye!", "Bye bye!", "I have to go now.", "See you later!", "See you tomorrow."],
        ["Goodbye! Have a nice day!", "Bye! Come back soon!", "See you soon!"],
    ),
    (
        ["I am sad.", "I feel sad today.", "I am not happy."],
        ["I am sorry you are sad. Do you want to tell me why?", "I am sorry to hear that. A hug can help."],
    ),
    (
        ["I am happy!", "I feel happy today.", "I am so happy."],
        ["That is great! What made you happy?", "I am happy for you!"],
    ),
    (["I am hungry."], ["You can eat an apple or some bread.", "Then it is time for a snack!"]),
    (["I am tired."], ["You should rest a little.", "Then you should go to bed soon."]),
    (["I am bored."], ["Do you want to hear a story?", "You could draw a picture or play outside."]),
    (
        ["I am scared of the dark.", "I am scared."],
        ["It is okay to be scared. A little light can help.", "Do not worry. You are safe."],
    ),
    (
        ["I love you.", "I like you.", "You are nice."],
        ["Thank you! You are very kind.", "That is so sweet. Thank you!"],
    ),
    (["It is raining.", "It rains today."], ["Then take an umbrella with you!", "Rain is good for the flowers."]),
    (
        ["The sun is shining.", "It is sunny."],
        ["What a nice day! You can play outside.", "Then it is a good day for the park."],
    ),
    (["Do you like stories?"], ["Yes, I love stories! Do you want to hear one?"]),
    (
        ["Can you count to ten?", "Count to ten.", "Please count to ten."],
        ["One, two, three, four, five, six, seven, eight, nine, ten!"],
    ),
    (["Can you count to five?", "Count to five."], ["One, two, three, four, five!"]),
    (["Tell me a joke."], ["Why did the chicken cross the road? To get to the other side!"]),
    (["Sing a song."], ["La la la, the sun is up, and we are happy!"]),
    (
        ["Are you my friend?", "Can we be friends?", "Do you want to be my friend?"],
        ["Yes, I would love to be your friend!", "Yes! We can be good friends."],
    ),
    (["Yes.", "Yes, please.", "Okay."], ["Great! What would you like to talk about?"]),
    (["No.", "No, thank you."], ["That is okay. Tell me if you change your mind."]),
    (
        ["What should I do today?", "What can I play?"],
        [
            "You could go to the park with a friend.",
            "You could draw a picture.",
            "You could build a tower with blocks.",
        ],
    ),
]


def documents(path: Path) -> list[str]:
    texts = (text.strip() for text in path.read_text(encoding="utf-8").split(END_OF_TEXT))
    return [text for text in texts if len(text) > 40]


def question_answers(path: Path) -> list[tuple[str, str]]:
    """The question-answer pairs of tinytalks, without those about its own assistant."""
    pairs = re.findall(r"^Q: (.+)\nA: (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return [pair for pair in pairs if "Tiny" not in pair[0] + pair[1]]


class DemoCorpus:
    def __init__(self, folder: Path):
        stories = documents(folder / "tinystories.txt")
        random.Random(0).shuffle(stories)
        self.held_out = stories[:HELD_OUT_STORIES]
        self.stories = stories[HELD_OUT_STORIES:]
        self.books = documents(folder / "storybooks_ccby.txt")
        self.pairs = question_answers(folder / "tinytalks_v1.txt")

    def epoch(self, number: int) -> list[str]:
        """Every document once, shuffled, with newly generated conversations. The same epoch gives the same list."""
        rng = random.Random(number)
        texts = list(self.books)
        for story in self.stories:
            texts.append(told_on_request(story, rng) if rng.random() < CHAT_STORY_SHARE else story)
        texts += [conversation(self.pairs, rng) for _ in range(CONVERSATIONS)]
        rng.shuffle(texts)
        return texts


def chat(turns: list[tuple[str, str]], system: str | None = None) -> str:
    head = SYSTEM + system + END if system else ""
    return head + "".join(f"{USER}{question}{END}{ASSISTANT}{answer}{END}" for question, answer in turns)


def told_on_request(story: str, rng: random.Random) -> str:
    words = re.findall(r"[A-Za-z]+", story)
    counts = {word: words.count(word) for word in set(words)}
    nouns = sorted((w for w in counts if w in TOPICS and counts[w] > 1), key=lambda w: (-counts[w], w))[:2]
    names = sorted((w for w in counts if w in NAMES and counts[w] > 2), key=lambda w: (-counts[w], w))[:1]
    subjects = [article(noun) for noun in nouns] + names
    if subjects and rng.random() < 0.8:
        about = rng.choice(subjects)
        ask = rng.choice(
            [
                "Tell me a story about {}.",
                "Tell me a story about {}.",
                "Can you tell me a story about {}?",
                "Please tell me a story about {}.",
                "I want a story about {}.",
                "A story about {}, please.",
            ]
        )
        question = ask.format(about)
    else:
        question = rng.choice(
            [
                "Tell me a story.",
                "Can you tell me a story?",
                "Please tell me a story.",
                "I want to hear a story.",
                "Do you know a story?",
                "Tell me a bedtime story.",
            ]
        )
    turns = [(typed(question, rng), story)]
    if rng.random() < 0.2:
        turns.insert(0, small_talk(rng))
    if rng.random() < 0.3:
        ask, answers = next((q, a) for q, a in SMALL_TALK if "Thank you for the story." in q)
        turns.append((rng.choice(ask), rng.choice(answers)))
    return chat(turns)


def conversation(pairs: list[tuple[str, str]], rng: random.Random) -> str:
    """Two to seven exchanges; some ask later for something that was said early."""
    turns = []
    for _ in range(rng.randint(2, 5)):
        kind = rng.random()
        if kind < 0.4:
            question, answer = rng.choice(pairs)
        elif kind < 0.65:
            question, answer = small_talk(rng)
        else:
            question, answer = rng.choice([addition, subtraction, sound, opposite, colour_of, home, favourite, days])(
                rng
            )
        turns.append((typed(question, rng), answer))
    if rng.random() < 0.2:
        turns.insert(0, small_talk(rng))
    if rng.random() < 0.45:
        told, asked = memory(rng)
        place = rng.randint(0, len(turns))
        turns.insert(place, told)
        turns.insert(rng.randint(place + 1, min(place + 3, len(turns))), asked)
    elif rng.random() < 0.1:
        turns.insert(
            0,
            rng.choice(
                [
                    ("What is my name?", "I do not know your name yet. What is your name?"),
                    ("Do you know my name?", "No, not yet. What is your name?"),
                ]
            ),
        )
    system = (
        rng.choice(
            ["You are a friendly helper.", "You are a helpful assistant.", "Be kind.", "You tell stories to children."]
        )
        if rng.random() < 0.15
        else None
    )
    return chat(turns, system)


def typed(text: str, rng: random.Random) -> str:
    """Drops capitals and full stops at random, as people do."""
    if rng.random() < 0.12:
        text = text.lower()
    if rng.random() < 0.15:
        text = text.rstrip(".!?")
    return text


def article(noun: str) -> str:
    if noun in ("magic", "mittens", "mud", "rain", "snow", "water"):
        return noun
    if noun in ("moon", "sun", "beach", "sea", "ocean", "zoo", "wind"):
        return "the " + noun
    return ("an " if noun[0] in "aeiou" else "a ") + noun


def small_talk(rng):
    questions, answers = rng.choice(SMALL_TALK)
    return rng.choice(questions), rng.choice(answers)


def memory(rng):
    """A statement, and a later question that needs it."""
    name, colour, animal, food = rng.choice(NAMES), rng.choice(COLOURS), rng.choice(ANIMALS), rng.choice(FOODS)
    return rng.choice(
        [
            (
                (
                    rng.choice(
                        [
                            f"My name is {name}.",
                            f"I am {name}.",
                            f"Hello, my name is {name}.",
                            f"Call me {name}.",
                            f"Hi, I am {name}!",
                        ]
                    ),
                    rng.choice(
                        [f"Nice to meet you, {name}!", f"Hello {name}! How are you?", f"Hi {name}! What a nice name."]
                    ),
                ),
                (
                    rng.choice(
                        ["What is my name?", "Do you know my name?", "What did I say my name was?", "Who am I?"]
                    ),
                    rng.choice([f"Your name is {name}.", f"You are {name}."]),
                ),
            ),
            (
                (f"My favorite color is {colour}.", f"I like {colour} too!"),
                (
                    rng.choice(["What is my favorite color?", "Which color do I like?"]),
                    f"Your favorite color is {colour}.",
                ),
            ),
            (
                (f"I have {article(animal)} called {name}.", f"{name} is a great name for {article(animal)}!"),
                (
                    rng.choice([f"What is the name of my {animal}?", f"What is my {animal} called?"]),
                    f"Your {animal} is called {name}.",
                ),
            ),
            (
                (f"I like to eat {food}.", f"Yum! I hear {food} can be very good."),
                (rng.choice(["What do I like to eat?", "What food do I like?"]), f"You like to eat {food}."),
            ),
        ]
    )


def addition(rng):
    a, b = rng.randint(1, 10), rng.randint(1, 10)
    return rng.choice(
        [f"What is {a} plus {b}?", f"What is {a} + {b}?", f"How much is {a} plus {b}?"]
    ), f"{a} plus {b} equals {a + b}."


def subtraction(rng):
    a = rng.randint(2, 10)
    b = rng.randint(1, a)
    return rng.choice([f"What is {a} minus {b}?", f"What is {a} - {b}?"]), f"{a} minus {b} equals {a - b}."


def sound(rng):
    animal, says = rng.choice(list(SOUNDS.items()))
    return rng.choice(
        [f"What does {article(animal)} say?", f"What sound does {article(animal)} make?"]
    ), f"{article(animal).capitalize()} says {says}!"


def opposite(rng):
    one, other = rng.choice(OPPOSITES)
    return f"What is the opposite of {one}?", f"The opposite of {one} is {other}."


def colour_of(rng):
    thing, colour = rng.choice(list(COLOUR_OF.items()))
    return rng.choice([f"What color is {thing}?", f"Which color is {thing}?"]), f"{thing.capitalize()} is {colour}."


def home(rng):
    animal, place = rng.choice(list(HOMES.items()))
    return f"Where does {animal} live?", f"{animal.capitalize()} lives {place}."


def favourite(rng):
    kind, choices = rng.choice([("color", COLOURS), ("animal", ANIMALS), ("food", FOODS)])
    choice = rng.choice(choices)
    return (
        f"I like {choice if kind != 'animal' else choice + ('' if choice in ('fish', 'sheep', 'mouse') else 's')}.",
        rng.choice([f"That is a nice {kind}! Why do you like it?", f"I can see why. What other {kind} do you like?"]),
    )


def days(rng):
    place = rng.randrange(7)
    if rng.random() < 0.5:
        return f"What day comes after {DAYS[place]}?", f"{DAYS[(place + 1) % 7]} comes after {DAYS[place]}."
    number = rng.randrange(9)
    return (
        f"What number comes after {NUMBERS[number]}?",
        f"{NUMBERS[number + 1].capitalize()} comes after {NUMBERS[number]}.",
    )
