// Keeps the page of /topology up to date: each second, every value by its name. "db1-lag" is an element's text,
// "db1@data-role" an attribute.
"use strict";

function put(name, value) {
    const [id, attribute] = name.split("@");
    const element = document.getElementById(id);
    if (!element)
        return;
    if (attribute)
        element.setAttribute(attribute, value);
    else if (element.textContent !== value)
        element.textContent = value;
}

async function refresh() {
    try {
        const answer = await fetch("/topology.json", {cache: "no-store"});
        if (!answer.ok)
            throw new Error(answer.statusText);
        for (const [name, value] of Object.entries(await answer.json()))
            put(name, value);
        document.body.dataset.live = "yes";
    } catch {
        document.body.dataset.live = "no"; // the shop is down or busy: what stands there is old
    }
    setTimeout(refresh, 1000);
}

setTimeout(refresh, 1000);
