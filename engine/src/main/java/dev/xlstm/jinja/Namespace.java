package dev.xlstm.jinja;

import java.util.LinkedHashMap;
import java.util.Map;

/** What {@code namespace(...)} makes: the one kind of value a template may change. */
final class Namespace {

    final Map<String, Object> attributes = new LinkedHashMap<>();
}
